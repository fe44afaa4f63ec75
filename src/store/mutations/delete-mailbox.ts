// Removes a mailbox with its messages; mailboxes below it stay. RFC 9051 §6.3.5.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { forgetGuests } from './guest-seen.ts'
import { nextModSeq } from './next-mod-seq.ts'

export interface DeleteMailbox {
  readonly account: AccountId
  readonly mailbox: MailboxId
}

/** Its name, its special use and its messages' room are free again; subscriptions stay (RFC 9051 §6.3.7). Throws `no-such-mailbox`, and `invalid-name` for INBOX. */
export async function deleteMailbox(
  tx: Tx,
  { account, mailbox }: DeleteMailbox,
): Promise<{ modSeq: ModSeq }> {
  const modSeq = await nextModSeq(tx, account)
  const row = await tx.get<{ name: string; total: number; size_bytes: number }>(
    'SELECT name, total, size_bytes FROM mailbox WHERE account = ? AND id = ?',
    account,
    mailbox,
  )
  if (!row) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  if (row.name === 'INBOX') throw new StoreError('invalid-name', 'INBOX cannot be deleted')
  await tx.run(
    `INSERT INTO orphan (since, account, email) SELECT ?, account, email FROM message WHERE account = ? AND mailbox = ?
     ON CONFLICT (since, account, email) DO NOTHING`,
    tx.nowMs,
    account,
    mailbox,
  )
  await Promise.all([
    tx.run('DELETE FROM message_annotation WHERE account = ? AND mailbox = ?', account, mailbox),
    tx.run('DELETE FROM message WHERE account = ? AND mailbox = ?', account, mailbox),
    tx.run('DELETE FROM tombstone WHERE account = ? AND mailbox = ?', account, mailbox),
    tx.run('DELETE FROM message_change WHERE account = ? AND mailbox = ?', account, mailbox),
    tx.run('DELETE FROM snapshot WHERE account = ? AND mailbox = ?', account, mailbox),
    tx.run('DELETE FROM url_key WHERE account = ? AND mailbox = ?', account, mailbox),
    tx.run('DELETE FROM annotation WHERE account = ? AND mailbox = ?', account, mailbox),
    forgetGuests(tx, account, mailbox),
    tx.run('DELETE FROM mailbox WHERE account = ? AND id = ?', account, mailbox),
    tx.run(
      'INSERT INTO mailbox_tombstone (account, mod_seq, mailbox, name) VALUES (?, ?, ?, ?)',
      account,
      modSeq,
      mailbox,
      row.name,
    ),
    tx.run(
      'UPDATE account SET used_bytes = used_bytes - ?, used_messages = used_messages - ? WHERE id = ?',
      row.size_bytes,
      row.total,
      account,
    ),
  ])
  return { modSeq }
}
