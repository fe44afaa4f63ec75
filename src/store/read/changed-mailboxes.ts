// Which mailboxes have changed, came or went since a modSeq. RFC 5465 §5.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import type { Reader } from '../store.ts'
import { listMailboxes, type Mailbox } from './mailboxes.ts'

/** Mailboxes that are there and were made, renamed or had a change of their messages after `modSeq`. */
export async function listChangedMailboxes(
  reader: Reader,
  account: AccountId,
  modSeq: ModSeq,
): Promise<readonly Mailbox[]> {
  const changed = await reader.get<{ total: number }>(
    'SELECT count(*) AS total FROM mailbox WHERE account = ? AND mod_seq > ?',
    account,
    modSeq,
  )
  if (!changed || changed.total === 0) return []
  return (await listMailboxes(reader, account)).filter(mailbox => mailbox.modSeq > modSeq)
}

/** Mailboxes that were deleted after `modSeq`. */
export async function listDeletedMailboxes(
  reader: Reader,
  account: AccountId,
  modSeq: ModSeq,
): Promise<readonly { readonly mailbox: MailboxId; readonly name: string }[]> {
  return await reader.all(
    'SELECT mailbox, name FROM mailbox_tombstone WHERE account = ? AND mod_seq > ? ORDER BY mod_seq, mailbox',
    account,
    modSeq,
  )
}
