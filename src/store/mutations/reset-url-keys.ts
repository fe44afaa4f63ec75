// Forgets the keys of authorised URLs, so that none of those given out is good any more. RFC 4467, RESETKEY.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import type { Tx } from '../store.ts'

export interface ResetUrlKeys {
  /** Whose keys are forgotten; those of others for the same mailbox stay. */
  readonly account: AccountId
  /** All mailboxes by default, own and others'. */
  readonly mailbox?: { readonly account: AccountId; readonly id: MailboxId } | undefined
}

export async function resetUrlKeys(tx: Tx, { account, mailbox }: ResetUrlKeys): Promise<void> {
  if (mailbox === undefined) {
    await tx.run('DELETE FROM url_key WHERE account = ?', account)
    await tx.run('UPDATE guest SET url_key = NULL WHERE guest = ?', account)
  } else if (mailbox.account === account) {
    await tx.run('DELETE FROM url_key WHERE account = ? AND mailbox = ?', account, mailbox.id)
  } else {
    await tx.run(
      'UPDATE guest SET url_key = NULL WHERE account = ? AND mailbox = ? AND guest = ?',
      mailbox.account,
      mailbox.id,
      account,
    )
  }
}
