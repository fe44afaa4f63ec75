// \Recent for IMAP4rev1: each message is recent in one session only. RFC 3501 §2.3.2.
import type { AccountId, MailboxId, Uid } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'

export interface ClaimRecent {
  readonly account: AccountId
  readonly mailbox: MailboxId
}

/** Messages from `firstRecentUid` on are recent in the session that asked, and in no later one. Not a change of the mailbox. Throws `no-such-mailbox`. */
export async function claimRecent(
  tx: Tx,
  { account, mailbox }: ClaimRecent,
): Promise<{ readonly firstRecentUid: Uid }> {
  const found = tx.get<{ recent_uid: Uid }>(
    'SELECT recent_uid FROM mailbox WHERE account = ? AND id = ?',
    account,
    mailbox,
  )
  tx.leave(
    tx.run(
      'UPDATE mailbox SET recent_uid = uid_next WHERE account = ? AND id = ? AND recent_uid < uid_next',
      account,
      mailbox,
    ),
  )
  const row = await found
  if (!row) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  return { firstRecentUid: row.recent_uid }
}
