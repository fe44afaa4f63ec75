// domain add|list|remove
import { createDomain, deleteDomain } from '../../account/directory.ts'
import { listDomains } from '../../store/read/domain.ts'
import type { CommandContext } from '../command.ts'
import { formatTime } from '../output.ts'
import { onStore } from '../target.ts'

/** Accepts mail for a domain. */
export async function addDomain(context: CommandContext, name: string): Promise<void> {
  const kept = await onStore(context, { mayCreate: true }, target => createDomain(target.directory, name))
  context.output.result({ name: kept }, `domain ${kept} added`)
}

/** Lists them. */
export async function listAllDomains(context: CommandContext): Promise<void> {
  const rows = await onStore(context, { mayCreate: false }, ({ store }) => listDomains(store.reader))
  context.output.table(
    rows.map(row => ({ ...row })),
    [
      { key: 'name', title: 'DOMAIN' },
      { key: 'createdAt', title: 'ADDED', format: formatTime },
    ],
    'no domains yet: restante domain add example.org',
  )
}

/** No longer accepts mail for it. */
export async function removeDomain(context: CommandContext, name: string): Promise<void> {
  await onStore(context, { mayCreate: false }, target => deleteDomain(target.directory, name))
  context.output.result({ name }, `domain ${name} removed`)
}
