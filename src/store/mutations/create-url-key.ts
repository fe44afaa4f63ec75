// The key that authorised URLs of one mailbox are signed with, made when the first is asked for. RFC 4467 §2.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { admitGuest } from './guest-seen.ts'

export interface CreateUrlKey {
  readonly account: AccountId
  readonly mailbox: MailboxId
  /** Whose URLs it signs, where that is not the owner. */
  readonly guest?: AccountId | undefined
  /** Random bytes; kept only when the mailbox has no key yet. */
  readonly key: Uint8Array
}

/** The key that is kept, the given one or an earlier one. Throws `no-such-mailbox`. */
export async function createUrlKey(
  tx: Tx,
  { account, mailbox, guest, key }: CreateUrlKey,
): Promise<{ readonly key: Uint8Array }> {
  if (guest !== undefined) return createGuestKey(tx, { account, mailbox, guest, key })
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

async function createGuestKey(
  tx: Tx,
  { account, mailbox, guest, key }: Required<CreateUrlKey> & { readonly guest: AccountId },
): Promise<{ readonly key: Uint8Array }> {
  await admitGuest(tx, { account, mailbox, guest })
  const kept = await tx.get<{ key: Uint8Array }>(
    'UPDATE guest SET url_key = coalesce(url_key, ?) WHERE account = ? AND mailbox = ? AND guest = ? RETURNING url_key AS key',
    key,
    account,
    mailbox,
    guest,
  )
  if (!kept) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  return kept
}
