// The key that authorised URLs of one mailbox are signed with, made when the first is asked for. RFC 4467 §2.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'

export interface CreateUrlKey {
  readonly account: AccountId
  readonly mailbox: MailboxId
  /** Random bytes; kept only when the mailbox has no key yet. */
  readonly key: Uint8Array
}

/** The key that is kept, the given one or an earlier one. Throws `no-such-mailbox`. */
export async function createUrlKey(
  tx: Tx,
  { account, mailbox, key }: CreateUrlKey,
): Promise<{ readonly key: Uint8Array }> {
  await tx.run(
    `INSERT INTO url_key (account, mailbox, key) SELECT account, id, ? FROM mailbox WHERE account = ? AND id = ?
     ON CONFLICT (account, mailbox) DO NOTHING`,
    key,
    account,
    mailbox,
  )
  const kept = await tx.get<{ key: Uint8Array }>(
    'SELECT key FROM url_key WHERE account = ? AND mailbox = ?',
    account,
    mailbox,
  )
  if (!kept) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  return kept
}
