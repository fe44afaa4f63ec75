// Adds messages to one mailbox, all or none. RFC 9051 §6.3.12; RFC 3502 (MULTIAPPEND); RFC 4315 §3 (APPENDUID).
import { type Awaitable, together } from '../../base/awaitable.ts'
import type { AccountId, EmailId, MailboxId, ModSeq, Uid, UidValidity } from '../../base/ids.ts'
import type { EmailSummary } from '../../message/summary.ts'
import { deleted, type FlagSet, seen } from '../flags.ts'
import { StoreError } from '../error.ts'
import type { MessageAnnotation } from '../message-annotations.ts'
import type { BodyRef, Tx } from '../store.ts'
import { insertAnnotations } from './annotate-messages.ts'
import { findThreads, rememberKeys } from './assign-thread.ts'
import { checkAnnotationRoom } from './check-annotation-room.ts'
import { checkQuota } from './check-quota.ts'
import { internFlags } from './intern-keywords.ts'
import { maxUid } from './uid-limit.ts'

export interface NewMessage {
  readonly body: BodyRef
  readonly email: EmailSummary
  /** INTERNALDATE, milliseconds since 1970; now by default. */
  readonly receivedAt?: number | undefined
  readonly flags: FlagSet
  /** Private ones are the account's own (RFC 5257 §4.7). */
  readonly annotations?: readonly MessageAnnotation[] | undefined
  /** Whose the private ones are, where that is another account. */
  readonly viewer?: AccountId | undefined
}

export interface AppendMessages {
  readonly account: AccountId
  readonly mailbox: MailboxId
  readonly messages: readonly NewMessage[]
}

export interface Appended {
  readonly modSeq: ModSeq
  readonly uidValidity: UidValidity
  readonly uids: readonly Uid[]
  readonly emails: readonly EmailId[]
}

/** Throws `no-such-account`, `no-such-mailbox`, `over-quota` and `too-many`. */
export async function appendMessages(
  tx: Tx,
  { account, mailbox, messages }: AppendMessages,
): Promise<Appended> {
  const { modSeq, uidValidity, uids, emails } = await insertMessages(tx, { account, messages, mailbox })
  return { modSeq, uidValidity, uids, emails }
}

export interface InsertMessages {
  readonly account: AccountId
  /** By its id, or by its name. */
  readonly mailbox: MailboxId | string
  /** Another one where there is no such mailbox. */
  readonly otherwise?: (modSeq: ModSeq) => Promise<MailboxId>
  readonly messages: readonly NewMessage[]
}

/** Like `appendMessages`; also which mailbox it was. */
export async function insertMessages(
  tx: Tx,
  { account, mailbox, otherwise, messages }: InsertMessages,
): Promise<Appended & { readonly mailbox: MailboxId }> {
  const added = await weigh(tx, account, messages)
  const emailsOf = messages.map(({ email }) => email)
  const [{ modSeq, firstEmail, firstThread }, assignThreads, taken] = await together([
    reserveEmails(tx, account, added),
    findThreads(tx, account, emailsOf),
    takeUids(tx, account, mailbox, added),
  ])
  const row = taken ?? (otherwise && (await takeUids(tx, account, await otherwise(modSeq), added)))
  if (!row) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  if (row.first_uid + messages.length - 1 > maxUid)
    throw new StoreError('too-many', 'the mailbox has no UIDs left')
  const assigned = assignThreads(firstThread)
  const uids = messages.map((_, index) => (row.first_uid + index) as Uid)
  const emails = messages.map((_, index) => (firstEmail + index) as EmailId)
  // A large body takes several statements, of which none may meet those of the same body once more.
  for (const { body } of messages) {
    const taken = tx.takeBody(account, body)
    if (taken) await taken
  }
  for (const statement of rememberKeys(tx, account, assigned)) tx.leave(statement)
  for (const [index, message] of messages.entries()) {
    tx.leave(insertEmail(tx, account, emails[index] as EmailId, message, assigned.threads[index] as number))
    tx.leave(
      tx.run(
        `INSERT INTO message (account, mailbox, uid, email, flags, mod_seq, size_bytes, received_at, saved_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        account,
        row.id,
        uids[index] as Uid,
        emails[index] as EmailId,
        added.flags[index] ?? 0,
        modSeq,
        message.email.sizeBytes,
        message.receivedAt ?? tx.nowMs,
        tx.nowMs,
      ),
    )
  }
  for (const [index, { annotations, viewer = account }] of messages.entries()) {
    const uid = uids[index] as Uid
    if (annotations)
      await insertAnnotations(tx, { account, mailbox: row.id, uid, viewer, annotations, modSeq })
  }
  if (messages.some(({ annotations }) => annotations)) await checkAnnotationRoom(tx, account)
  return { mailbox: row.id, modSeq, uidValidity: row.uid_validity, uids, emails }
}

/** What messages add to the counts, and their flags as rows have them. */
interface Weight {
  readonly count: number
  readonly flags: readonly number[]
  readonly sizeBytes: number
  readonly unseenCount: number
  readonly deletedCount: number
}

async function weigh(tx: Tx, account: AccountId, messages: readonly NewMessage[]): Promise<Weight> {
  const flags: number[] = []
  let sizeBytes = 0
  let unseenCount = 0
  let deletedCount = 0
  for (const message of messages) {
    const bits = await internFlags(tx, account, message.flags)
    flags.push(bits)
    sizeBytes += message.email.sizeBytes
    if ((bits & seen) === 0) unseenCount++
    if ((bits & deleted) !== 0) deletedCount++
  }
  return { count: messages.length, flags, sizeBytes, unseenCount, deletedCount }
}

/**
 * Locks the account, counts what is added as used and takes as many ids as there are messages; conversations that are not needed stay unused.
 * Throws `no-such-account` and `over-quota`.
 */
async function reserveEmails(
  tx: Tx,
  account: AccountId,
  { count, sizeBytes }: Weight,
): Promise<{ readonly modSeq: ModSeq; readonly firstEmail: number; readonly firstThread: number }> {
  const row = await tx.get<{
    mod_seq: ModSeq
    first_email: number
    first_thread: number
    used_bytes: number
    used_messages: number
    quota_bytes: number | null
    quota_messages: number | null
  }>(
    `UPDATE account SET mod_seq = mod_seq + 1, next_email = next_email + ?, next_thread = next_thread + ?, used_bytes = used_bytes + ?, used_messages = used_messages + ?
     WHERE id = ? RETURNING mod_seq, next_email - ? AS first_email,
       next_thread - ? AS first_thread, used_bytes, used_messages, quota_bytes, quota_messages`,
    count,
    count,
    sizeBytes,
    count,
    account,
    count,
    count,
  )
  if (!row) throw new StoreError('no-such-account', 'the account is gone')
  checkQuota(tx, row)
  tx.changed(account, row.mod_seq)
  return { modSeq: row.mod_seq, firstEmail: row.first_email, firstThread: row.first_thread }
}

/** Counts the messages in the mailbox at the account's modSeq; the first of their UIDs. Undefined when there is no such mailbox. */
function takeUids(
  tx: Tx,
  account: AccountId,
  mailbox: MailboxId | string,
  { count, sizeBytes, unseenCount, deletedCount }: Weight,
): Awaitable<{ id: MailboxId; first_uid: number; uid_validity: UidValidity } | undefined> {
  return tx.get(
    typeof mailbox === 'string' ? takeByNameSql : takeByIdSql,
    count,
    count,
    unseenCount,
    deletedCount,
    sizeBytes,
    account,
    mailbox,
    count,
  )
}

// Where the account is gone there is no modSeq, and others tell of it.
const takeByIdSql = `UPDATE mailbox SET mod_seq = coalesce((SELECT a.mod_seq FROM account a WHERE a.id = mailbox.account), mod_seq),
    uid_next = uid_next + ?, total = total + ?, unseen = unseen + ?, deleted = deleted + ?, size_bytes = size_bytes + ?
  WHERE account = ? AND id = ? RETURNING id, uid_next - ? AS first_uid, uid_validity`
const takeByNameSql = `UPDATE mailbox SET mod_seq = coalesce((SELECT a.mod_seq FROM account a WHERE a.id = mailbox.account), mod_seq),
    uid_next = uid_next + ?, total = total + ?, unseen = unseen + ?, deleted = deleted + ?, size_bytes = size_bytes + ?
  WHERE account = ? AND name = ? RETURNING id, uid_next - ? AS first_uid, uid_validity`

function insertEmail(
  tx: Tx,
  account: AccountId,
  id: EmailId,
  message: NewMessage,
  thread: number,
): Awaitable<number> {
  const { email } = message
  const hash = Buffer.from(message.body.hash, 'hex')
  return tx.run(
    `INSERT INTO email (account, id, blob, thread, size_bytes, header_bytes, received_at, sent_at, sent_zone_minutes, message_id, base_subject,
         is_reply, subject, sort_from, sort_to, sort_cc, display_from, display_to, reference_ids, preview, has_attachment, envelope,
         body_structure, parts)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    account,
    id,
    hash,
    thread,
    email.sizeBytes,
    email.headerBytes,
    message.receivedAt ?? tx.nowMs,
    email.sentAt ?? null,
    email.sentZoneMinutes,
    email.messageId,
    email.baseSubject,
    email.isReply ? 1 : 0,
    email.subject,
    email.from.mailbox,
    email.to.mailbox,
    email.cc.mailbox,
    email.from.display,
    email.to.display,
    email.references.join(' '),
    email.preview,
    email.hasAttachment ? 1 : 0,
    email.envelope,
    email.bodyStructure,
    email.parts,
  )
}
