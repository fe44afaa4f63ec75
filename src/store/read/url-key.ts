// The keys of authorised URLs. RFC 4467.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import type { Reader } from '../store.ts'

/** The key of a mailbox, undefined where none of its URLs is authorised. */
export async function findUrlKey(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
): Promise<Uint8Array | undefined> {
  const row = await reader.get<{ key: Uint8Array }>(
    'SELECT key FROM url_key WHERE account = ? AND mailbox = ?',
    account,
    mailbox,
  )
  return row?.key
}
