// From the names that a client says to mailboxes and their owners: the one way there. RFC 2342; RFC 4314.
import type { AccountId, MailboxId } from '../base/ids.ts'
import { findMailbox, listMailboxes, type Mailbox } from '../store/read/mailboxes.ts'
import type { Store } from '../store/store.ts'
import { no } from './error.ts'

/** Who looks: a session, or whom an authorised URL speaks for. */
export interface Viewer {
  readonly store: Store
  readonly account: AccountId
}

/** A mailbox by its owner and its id, which is unique in his account only. */
export interface MailboxKey {
  readonly account: AccountId
  readonly id: MailboxId
}

/** A mailbox under the name that the viewer has for it. */
export interface VisibleMailbox extends Mailbox, MailboxKey {
  /** As its owner calls it. */
  readonly ownName: string
}

/** Where a mailbox of a name would be made. */
export interface MailboxPlace {
  readonly account: AccountId
  readonly ownName: string
}

/** The mailbox that the viewer means by `name`. */
export async function findVisible(
  { store, account }: Viewer,
  name: string,
): Promise<VisibleMailbox | undefined> {
  const mailbox = await findMailbox(store.reader, account, name)
  return mailbox && asOwn(account, mailbox)
}

/** Throws NO [NONEXISTENT]. */
export async function getVisible(viewer: Viewer, name: string): Promise<VisibleMailbox> {
  const mailbox = await findVisible(viewer, name)
  if (!mailbox) throw no('NONEXISTENT', 'There is no such mailbox')
  return mailbox
}

/** The mailbox that messages are to go to. Throws NO [TRYCREATE] (RFC 9051 §6.3.12). */
export async function getTarget(viewer: Viewer, name: string): Promise<VisibleMailbox> {
  const mailbox = await findVisible(viewer, name)
  if (!mailbox) throw no('TRYCREATE', 'There is no such mailbox')
  return mailbox
}

/** All mailboxes that the viewer sees, by name. */
export async function listVisible({ store, account }: Viewer): Promise<readonly VisibleMailbox[]> {
  const mailboxes = await listMailboxes(store.reader, account)
  return mailboxes.map(mailbox => asOwn(account, mailbox))
}

/** A mailbox as its owner sees it. */
export function asOwn(account: AccountId, mailbox: Mailbox): VisibleMailbox {
  return { ...mailbox, account, ownName: mailbox.name }
}

/** Where a mailbox that is to be called `name` belongs. */
export function placeOf({ account }: Viewer, name: string): MailboxPlace {
  return { account, ownName: name }
}

export function isSameMailbox(one: MailboxKey, other: MailboxKey): boolean {
  return one.id === other.id && one.account === other.account
}
