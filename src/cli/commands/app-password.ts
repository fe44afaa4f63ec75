// app-password add|list|remove
import { createAppPassword, deleteAppPassword, listAppPasswords } from '../../account/app-password.ts'
import { scopes, type Scope } from '../../account/scope.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command.ts'
import { formatTime } from '../output.ts'
import { getAccount, getPerson, onStore } from '../target.ts'

/** Makes one and shows it, once. */
export async function addAppPassword(
  context: CommandContext,
  address: string,
  name: string,
  options: { readonly scope: readonly string[] },
): Promise<void> {
  const chosen = options.scope.map(readScope)
  const password = await onStore(context, { mayCreate: false }, async target => {
    const { id } = await getPerson(target, address)
    return createAppPassword(target.directory, id, { name, ...(chosen.length > 0 && { scopes: chosen }) })
  })
  context.output.result({ address, name, password, scopes: chosen.length > 0 ? chosen : scopes }, password)
  if (context.options.json !== true) context.output.note('It cannot be shown again.')
}

function readScope(text: string): Scope {
  const scope = scopes.find(known => known === text)
  if (!scope) throw new CliError(`"${text}" is no service: ${scopes.join(', ')}`, { exitCode: 2 })
  return scope
}

/** Lists what an account has. */
export async function listAllAppPasswords(context: CommandContext, address: string): Promise<void> {
  const rows = await onStore(context, { mayCreate: false }, async target => {
    const { id } = await getAccount(target, address)
    return listAppPasswords(target.directory, id)
  })
  context.output.table(
    rows.map(row => ({ ...row, expiresAt: row.expiresAt ?? null })),
    [
      { key: 'name', title: 'NAME' },
      { key: 'scopes', title: 'FOR', format: value => (value as readonly string[]).join(' ') },
      { key: 'createdAt', title: 'MADE', format: formatTime },
      { key: 'expiresAt', title: 'ENDS', format: formatTime },
    ],
    `${address} has no app passwords`,
  )
}

/** Takes one back, at once. */
export async function removeAppPassword(
  context: CommandContext,
  address: string,
  name: string,
): Promise<void> {
  await onStore(context, { mayCreate: false }, async target => {
    const { id } = await getAccount(target, address)
    await deleteAppPassword(target.directory, id, name)
  })
  context.output.result({ address, name }, `app password ${name} of ${address} removed`)
}
