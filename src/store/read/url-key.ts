// The keys of authorised URLs. RFC 4467.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import type { Reader } from '../store.ts'

/** The key of what `user` has authorised of a mailbox, undefined where that is nothing. */
export async function findUrlKey(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
  user: AccountId,
): Promise<Uint8Array | undefined> {
  const row =
    user === account
      ? await reader.get<{ key: Uint8Array }>(
          'SELECT key FROM url_key WHERE account = ? AND mailbox = ?',
          account,
          mailbox,
        )
      : await reader.get<{ key: Uint8Array | null }>(
          'SELECT url_key AS key FROM guest WHERE account = ? AND mailbox = ? AND guest = ?',
          account,
          mailbox,
          user,
        )
  return row?.key ?? undefined
}
