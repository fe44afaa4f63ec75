// Which bodies the messages of a mailbox have.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, MailboxId, Uid } from '../../base/ids.ts'
import type { Reader } from '../store.ts'

export type MessageBody = readonly [uid: Uid, blob: Uint8Array]

/** The UIDs from `first` to `last` that are there now, each with the 32 bytes of its body's hash. Without a promise where the back-end needs none. */
export function listMessageBodies(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
  first: number,
  last: number,
): Awaitable<readonly MessageBody[]> {
  return reader.arrays<MessageBody>(
    `SELECT m.uid, e.blob FROM message m JOIN email e ON e.account = m.account AND e.id = m.email
      WHERE m.account = ? AND m.mailbox = ? AND m.uid BETWEEN ? AND ?`,
    account,
    mailbox,
    first,
    last,
  )
}
