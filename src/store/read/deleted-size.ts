// How much an EXPUNGE would free. RFC 9208 §4.1.4 (STATUS DELETED-STORAGE).
import type { AccountId, MailboxId } from '../../base/ids.ts'
import { deleted } from '../flags.ts'
import type { Reader } from '../store.ts'

/** Bytes of the messages with \Deleted. */
export async function sumDeletedBytes(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
): Promise<number> {
  const row = await reader.get<{ bytes: number | null }>(
    'SELECT sum(size_bytes) AS bytes FROM message WHERE account = ? AND mailbox = ? AND (flags & ?) <> 0',
    account,
    mailbox,
    deleted,
  )
  return row?.bytes ?? 0
}
