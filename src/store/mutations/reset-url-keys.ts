// Forgets the keys of authorised URLs, so that none of those given out is good any more. RFC 4467, RESETKEY.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import type { Tx } from '../store.ts'

export interface ResetUrlKeys {
  readonly account: AccountId
  /** All of the account's mailboxes by default. */
  readonly mailbox?: MailboxId | undefined
}

export async function resetUrlKeys(tx: Tx, { account, mailbox }: ResetUrlKeys): Promise<void> {
  if (mailbox === undefined) await tx.run('DELETE FROM url_key WHERE account = ?', account)
  else await tx.run('DELETE FROM url_key WHERE account = ? AND mailbox = ?', account, mailbox)
}
