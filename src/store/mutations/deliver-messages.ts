// Delivers one or more messages to mailboxes of several accounts in one transaction. What one account refuses does not stop the others.
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import type { EmailSummary } from '../../message/summary.ts'
import { type FlagSet, noFlags } from '../flags.ts'
import { StoreError, type StoreErrorCode } from '../error.ts'
import { findMailboxName } from '../mailbox-name.ts'
import type { BodyRef, Tx } from '../store.ts'
import { insertMessages } from './append-messages.ts'
import { insertMailbox } from './create-mailbox.ts'
import { internFlags } from './intern-keywords.ts'

export interface Delivery {
  readonly account: AccountId
  /** Made with its parents when missing; INBOX instead when it can't be. */
  readonly mailbox: string
  readonly body: BodyRef
  readonly email: EmailSummary
  readonly receivedAt?: number | undefined
  readonly flags: FlagSet
}

export interface DeliverMessages {
  readonly deliveries: readonly Delivery[]
}

export type Delivered =
  | { readonly kind: 'stored'; readonly mailbox: MailboxId; readonly uid: Uid; readonly modSeq: ModSeq }
  | { readonly kind: 'failed'; readonly code: StoreErrorCode }

/** One result for each delivery, in the same order. */
export async function deliverMessages(
  tx: Tx,
  { deliveries }: DeliverMessages,
): Promise<readonly Delivered[]> {
  const results: Delivered[] = deliveries.map(() => ({ kind: 'failed', code: 'unavailable' }))
  // In the order of ids, so that two transactions never wait for each other's accounts.
  const order = [...deliveries.keys()].sort(
    (a, b) => (deliveries[a]?.account ?? 0) - (deliveries[b]?.account ?? 0) || a - b,
  )
  for (const index of order) {
    const delivery = deliveries[index]
    if (delivery) results[index] = await tryDeliver(tx, delivery)
  }
  return results
}

async function tryDeliver(tx: Tx, delivery: Delivery): Promise<Delivered> {
  try {
    return await tx.nested(() => deliver(tx, delivery))
  } catch (error) {
    if (error instanceof StoreError) return { kind: 'failed', code: error.code }
    throw error
  }
}

async function deliver(tx: Tx, delivery: Delivery): Promise<Delivered> {
  const { account, body, email, receivedAt } = delivery
  const flags = await acceptFlags(tx, account, delivery.flags)
  const messages = [{ body, email, receivedAt, flags }]
  const name = findMailboxName(delivery.mailbox)
  const { mailbox, uids, modSeq } = await insertMessages(tx, {
    account,
    messages,
    mailbox: name ?? 'INBOX',
    otherwise: modSeq => mailboxFor(tx, account, name, modSeq),
  })
  return { kind: 'stored', mailbox, uid: uids[0] as Uid, modSeq }
}

/** Mail is not refused for a keyword that the account has no room for. */
async function acceptFlags(tx: Tx, account: AccountId, flags: FlagSet): Promise<FlagSet> {
  if (flags.keywords.length === 0) return flags
  try {
    await tx.nested(() => internFlags(tx, account, flags))
    return flags
  } catch (error) {
    if (error instanceof StoreError && error.code === 'too-many') return { ...noFlags, system: flags.system }
    throw error
  }
}

/** Makes the mailbox, or answers INBOX where it can't be. */
async function mailboxFor(
  tx: Tx,
  account: AccountId,
  name: string | undefined,
  modSeq: ModSeq,
): Promise<MailboxId> {
  if (name !== undefined) {
    try {
      const made = await tx.nested(() => insertMailbox(tx, { account, name, modSeq, subscribed: true }))
      return made.mailbox
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
    }
  }
  const inbox = await findMailbox(tx, account, 'INBOX')
  if (inbox === undefined) throw new StoreError('no-such-mailbox', 'the account has no INBOX')
  return inbox
}

async function findMailbox(tx: Tx, account: AccountId, name: string): Promise<MailboxId | undefined> {
  const row = await tx.get<{ id: MailboxId }>(
    'SELECT id FROM mailbox WHERE account = ? AND name = ?',
    account,
    name,
  )
  return row?.id
}
