// Gives a mailbox and those below it another name. RFC 9051 §6.3.6.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import { childRange, findMailboxName, parseMailboxName } from '../mailbox-name.ts'
import type { Tx } from '../store.ts'
import { moveMessages } from './copy-messages.ts'
import { insertMailbox, insertParents } from './create-mailbox.ts'
import { nextModSeq } from './next-mod-seq.ts'
import { maxUid } from './uid-limit.ts'

export interface RenameMailbox {
  readonly account: AccountId
  readonly from: string
  readonly to: string
}

/**
 * Ids, UIDVALIDITY, UIDs and special uses stay with their mailboxes (RFC 8474 §4). INBOX stays where it is: its messages move to the new
 * mailbox, and those below it are left alone. Throws `no-such-mailbox`, `mailbox-exists`, `invalid-name`.
 */
export async function renameMailbox(
  tx: Tx,
  args: RenameMailbox,
): Promise<{ modSeq: ModSeq; mailbox: MailboxId }> {
  const { account } = args
  const modSeq = await nextModSeq(tx, account)
  const from = findMailboxName(args.from)
  const source = from === undefined ? undefined : await findRow(tx, account, from)
  if (from === undefined || !source) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  const to = parseMailboxName(args.to)
  if (await findRow(tx, account, to)) throw new StoreError('mailbox-exists', 'a mailbox has this name')
  if (from === 'INBOX') {
    const { mailbox } = await insertMailbox(tx, { account, name: to, modSeq, subscribed: false })
    // RFC 5464 §4.1: annotations are copied.
    await tx.run(
      `INSERT INTO annotation (account, mailbox, folded, entry, value, mod_seq)
       SELECT account, ?, folded, entry, value, ? FROM annotation WHERE account = ? AND mailbox = ? AND value IS NOT NULL`,
      mailbox,
      modSeq,
      account,
      source.id,
    )
    const moved = await moveMessages(tx, {
      account,
      mailbox: source.id,
      uids: [[1, maxUid]],
      target: mailbox,
    })
    return { modSeq: moved.modSeq, mailbox }
  }
  if (to.startsWith(`${from}/`)) throw new StoreError('invalid-name', 'a mailbox cannot go below itself')
  await insertParents(tx, account, to, modSeq)
  await setName(tx, account, source.id, to, modSeq)
  const { low, high } = childRange(from)
  const children = await tx.all<{ id: MailboxId; name: string }>(
    'SELECT id, name FROM mailbox WHERE account = ? AND name >= ? AND name < ? ORDER BY name',
    account,
    low,
    high,
  )
  for (const child of children) {
    const name = parseMailboxName(to + child.name.slice(from.length))
    // `to` may have had children while it was missing itself.
    if (await findRow(tx, account, name))
      throw new StoreError('mailbox-exists', 'a mailbox below has this name')
    await setName(tx, account, child.id, name, modSeq)
  }
  return { modSeq, mailbox: source.id }
}

async function findRow(tx: Tx, account: AccountId, name: string): Promise<{ id: MailboxId } | undefined> {
  return tx.get<{ id: MailboxId }>('SELECT id FROM mailbox WHERE account = ? AND name = ?', account, name)
}

async function setName(
  tx: Tx,
  account: AccountId,
  mailbox: MailboxId,
  name: string,
  modSeq: ModSeq,
): Promise<void> {
  await tx.run(
    'UPDATE mailbox SET name = ?, mod_seq = ? WHERE account = ? AND id = ?',
    name,
    modSeq,
    account,
    mailbox,
  )
}
