// alias add|list|remove
import { createAlias, deleteAlias } from '../../account/directory.ts'
import { type AliasRow, listAliases } from '../../store/read/alias.ts'
import type { CommandContext } from '../command.ts'
import { formatTime } from '../output.ts'
import { onStore } from '../target.ts'

/** Leads an address to others. */
export async function addAlias(
  context: CommandContext,
  address: string,
  targets: readonly string[],
): Promise<void> {
  await onStore(context, { mayCreate: false }, target => createAlias(target.directory, address, targets))
  context.output.result({ address, targets }, `${address} leads to ${targets.join(', ')}`)
}

/** Lists all. */
export async function listAllAliases(context: CommandContext): Promise<void> {
  const rows = await onStore(context, { mayCreate: false }, async ({ store }) => {
    const all: AliasRow[] = []
    for (;;) {
      const page = await listAliases(store.reader, all.at(-1))
      all.push(...page)
      if (page.length === 0) return all
    }
  })
  context.output.table(
    rows.map(row => ({ ...row })),
    [
      { key: 'address', title: 'ADDRESS' },
      { key: 'target', title: 'LEADS TO' },
      { key: 'createdAt', title: 'MADE', format: formatTime },
    ],
    'no aliases yet: restante alias add info@example.org ann@example.org',
  )
}

/** Removes one target, or the alias. */
export async function removeAlias(
  context: CommandContext,
  address: string,
  target: string | undefined,
): Promise<void> {
  await onStore(context, { mayCreate: false }, ({ directory }) => deleteAlias(directory, address, target))
  context.output.result(
    { address, target: target ?? null },
    target === undefined ? `alias ${address} removed` : `${address} no longer leads to ${target}`,
  )
}
