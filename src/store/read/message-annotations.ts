// Reads of annotations of messages. RFC 5257.
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import type { Reader } from '../store.ts'

/** An annotation that is there. */
export interface FoundAnnotation {
  readonly uid: Uid
  readonly entry: string
  /** 0 where it is shared. */
  readonly owner: number
  readonly value: Uint8Array
}

/** What `viewer` sees of the messages from `first` to `last`: shared ones and his own, by UID and entry. */
export async function listMessageAnnotations(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
  viewer: AccountId,
  [first, last]: readonly [first: number, last: number],
): Promise<readonly FoundAnnotation[]> {
  return await reader.all<FoundAnnotation>(
    `SELECT uid, entry, owner, value FROM message_annotation
     WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND owner IN (0, ?) AND value IS NOT NULL ORDER BY uid, entry, owner`,
    account,
    mailbox,
    first,
    last,
    viewer,
  )
}

/** Entries that `viewer` sees and that were set or removed after `modSeq`, up to `until`. */
export async function listChangedMessageAnnotations(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
  viewer: AccountId,
  modSeq: ModSeq,
  until: ModSeq,
): Promise<readonly { readonly uid: Uid; readonly entry: string; readonly modSeq: ModSeq }[]> {
  return await reader.all(
    `SELECT uid, entry, max(mod_seq) AS "modSeq" FROM message_annotation
     WHERE account = ? AND mailbox = ? AND mod_seq > ? AND mod_seq <= ? AND owner IN (0, ?) GROUP BY uid, entry ORDER BY uid, entry`,
    account,
    mailbox,
    modSeq,
    until,
    viewer,
  )
}
