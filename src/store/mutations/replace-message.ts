// Puts a new message in the place of another, in one step: the old one's room counts as free. RFC 8508 §3.4.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { type Appended, appendMessages, type NewMessage } from './append-messages.ts'
import { expungeMessages } from './expunge-messages.ts'

export interface ReplaceMessage {
  readonly account: AccountId
  /** Where the old message is. */
  readonly mailbox: MailboxId
  readonly uid: number
  /** Where the new one goes. */
  readonly target: MailboxId
  readonly message: NewMessage
}

/** Throws `no-such-message` when the old message is gone, and what `appendMessages` throws; nothing has changed then. */
export async function replaceMessage(tx: Tx, args: ReplaceMessage): Promise<Appended> {
  const { account, mailbox, uid, target, message } = args
  const { uids } = await expungeMessages(tx, { account, mailbox, uids: [[uid, uid]], onlyDeleted: false })
  if (uids.length === 0) throw new StoreError('no-such-message', 'the message to replace is gone')
  return appendMessages(tx, { account, mailbox: target, messages: [message] })
}
