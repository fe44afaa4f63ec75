// acl list|set|remove: who else may use a mailbox. RFC 4314.
import { findAccountByName } from '../../account/directory.ts'
import type { AccountId } from '../../base/ids.ts'
import { anyone, listAcl } from '../../store/read/acl.ts'
import { findMailbox, listMailboxes, type Mailbox } from '../../store/read/mailboxes.ts'
import { formatRights, parseRights } from '../../store/rights.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command.ts'
import { printable } from '../output.ts'
import { getAccount, onStore, type Target } from '../target.ts'

/** Shows the rights that an account has given, of one mailbox or of all. */
export async function listRights(
  context: CommandContext,
  address: string,
  name: string | undefined,
): Promise<void> {
  const rows = await onStore(context, { mayCreate: false }, async target => {
    const { id } = await getAccount(target, address)
    const { reader } = target.store
    const mailboxes =
      name === undefined ? await listMailboxes(reader, id) : [await getMailbox(target, id, name)]
    const shown: { mailbox: string; identifier: string; rights: string }[] = []
    for (const mailbox of mailboxes) {
      for (const entry of await listAcl(reader, id, mailbox.id))
        shown.push({
          mailbox: mailbox.name,
          identifier: `${entry.isNegative ? '-' : ''}${entry.address ?? 'anyone'}`,
          rights: formatRights(entry.rights),
        })
    }
    return shown
  })
  context.output.table(
    rows,
    [
      { key: 'mailbox', title: 'MAILBOX', format: value => printable(String(value)) },
      { key: 'identifier', title: 'WHO' },
      { key: 'rights', title: 'RIGHTS' },
    ],
    `${address} shares nothing`,
  )
}

/** Gives or takes rights. */
export async function setRights(
  context: CommandContext,
  address: string,
  name: string,
  identifier: string,
  rights: string,
  { create }: { readonly create?: boolean },
): Promise<void> {
  const sign = rights[0]
  const mode = sign === '+' ? 'add' : sign === '-' ? 'remove' : 'replace'
  const bits = parseRights(mode === 'replace' ? rights : rights.slice(1))
  if (bits === undefined)
    throw new CliError(
      `"${rights}" are no rights: write letters of lrswipkxtea, or + or - in front of them`,
      {
        exitCode: 2,
      },
    )
  const now = await change(context, address, name, identifier, {
    mode,
    rights: bits,
    create: create === true,
  })
  context.output.result(
    now,
    `${now.identifier} has ${now.rights || 'no rights'} in ${printable(now.mailbox)} of ${now.account}`,
  )
}

/** Takes all rights of somebody back. */
export async function removeRights(
  context: CommandContext,
  address: string,
  name: string,
  identifier: string,
): Promise<void> {
  const now = await change(context, address, name, identifier, { mode: 'replace', rights: 0, create: false })
  context.output.result(
    now,
    `${now.identifier} has no entry in ${printable(now.mailbox)} of ${now.account} any more`,
  )
}

interface Change {
  readonly mode: 'replace' | 'add' | 'remove'
  readonly rights: number
  /** Makes the mailbox when it is missing. */
  readonly create: boolean
}

function change(
  context: CommandContext,
  address: string,
  name: string,
  identifier: string,
  { mode, rights, create }: Change,
): Promise<{ account: string; mailbox: string; identifier: string; rights: string }> {
  return onStore(context, { mayCreate: false }, async target => {
    const owner = await getAccount(target, address)
    const isNegative = identifier.startsWith('-')
    const grantee = await getGrantee(target, isNegative ? identifier.slice(1) : identifier)
    if (grantee.id === owner.id) throw new CliError(`${owner.address} owns the mailbox and has all rights`)
    if (create && !(await findMailbox(target.store.reader, owner.id, name)))
      await target.store.mutate('createMailbox', { account: owner.id, name })
    const mailbox = await getMailbox(target, owner.id, name)
    await target.store.mutate('setRights', {
      account: owner.id,
      mailbox: mailbox.id,
      grantee: grantee.id,
      isNegative,
      mode,
      rights,
    })
    const entries = await listAcl(target.store.reader, owner.id, mailbox.id)
    const entry = entries.find(each => each.grantee === grantee.id && each.isNegative === isNegative)
    return {
      account: owner.address,
      mailbox: mailbox.name,
      identifier: `${isNegative ? '-' : ''}${grantee.address}`,
      rights: formatRights(entry?.rights ?? 0),
    }
  })
}

async function getMailbox({ store }: Target, account: AccountId, name: string): Promise<Mailbox> {
  const found = await findMailbox(store.reader, account, name)
  if (found) return found
  throw new CliError(`there is no mailbox ${printable(name)}; --create makes it`)
}

async function getGrantee(
  { directory }: Target,
  name: string,
): Promise<{ readonly id: AccountId; readonly address: string }> {
  if (name === 'anyone') return { id: anyone, address: name }
  const found = await findAccountByName(directory, name)
  if (found) return found
  throw new CliError(`there is no account ${printable(name)} to give rights to; "anyone" is everybody`)
}
