// Adds messages to one mailbox, all or none. RFC 9051 §6.3.12; RFC 3502 (MULTIAPPEND); RFC 4315 §3 (APPENDUID).
import { type Awaitable, together } from '../../base/awaitable.ts'
import type { AccountId, EmailId, MailboxId, ModSeq, Uid, UidValidity } from '../../base/ids.ts'
import type { EmailSummary } from '../../message/summary.ts'
import { deleted, type FlagSet, seen } from '../flags.ts'
import { StoreError } from '../error.ts'
import type { MessageAnnotation } from '../message-annotations.ts'
import type { BodyRef, Tx } from '../store.ts'
import { insertAnnotations } from './annotate-messages.ts'
import { assignThreads, rememberKeys } from './assign-thread.ts'
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
  return insertMessages(tx, { account, mailbox, messages, ...(await reserveEmails(tx, account, messages)) })
}

export interface ReservedEmails {
  readonly modSeq: ModSeq
  /** As many ids from here on as there are messages; conversations that are not needed stay unused. */
  readonly firstEmail: number
  readonly firstThread: number
}

/** Locks the account, counts `messages` as used and takes their ids. Throws `no-such-account` and `over-quota`. */
export async function reserveEmails(
  tx: Tx,
  account: AccountId,
  messages: readonly NewMessage[],
): Promise<ReservedEmails> {
  let sizeBytes = 0
  for (const message of messages) sizeBytes += message.email.sizeBytes
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
    messages.length,
    messages.length,
    sizeBytes,
    messages.length,
    account,
    messages.length,
    messages.length,
  )
  if (!row) throw new StoreError('no-such-account', 'the account is gone')
  checkQuota(tx, row)
  tx.changed(account, row.mod_seq)
  return { modSeq: row.mod_seq, firstEmail: row.first_email, firstThread: row.first_thread }
}

export async function insertMessages(tx: Tx, args: AppendMessages & ReservedEmails): Promise<Appended> {
  const { account, mailbox, messages, modSeq, firstEmail, firstThread } = args
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
  const [row, assigned] = await together([
    takeUids(tx, args, { sizeBytes, unseenCount, deletedCount }),
    assignThreads(
      tx,
      account,
      messages.map(({ email }) => email),
      firstThread,
    ),
  ])
  if (!row) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  if (row.first_uid + messages.length - 1 > maxUid)
    throw new StoreError('too-many', 'the mailbox has no UIDs left')
  const uids = messages.map((_, index) => (row.first_uid + index) as Uid)
  const emails = messages.map((_, index) => (firstEmail + index) as EmailId)
  // A large body takes several statements, of which none may meet those of the same body once more.
  for (const { body } of messages) if (body.kind === 'staged') await tx.takeBody(account, body)
  await together([
    ...rememberKeys(tx, account, assigned),
    ...messages.flatMap((message, index) => [
      message.body.kind === 'inline' && tx.takeBody(account, message.body),
      insertEmail(tx, account, emails[index] as EmailId, message, assigned.threads[index] as number),
      tx.run(
        `INSERT INTO message (account, mailbox, uid, email, flags, mod_seq, size_bytes, received_at, saved_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        account,
        mailbox,
        uids[index] as Uid,
        emails[index] as EmailId,
        flags[index] ?? 0,
        modSeq,
        message.email.sizeBytes,
        message.receivedAt ?? tx.nowMs,
        tx.nowMs,
      ),
    ]),
  ])
  for (const [index, { annotations, viewer = account }] of messages.entries()) {
    if (annotations)
      await insertAnnotations(tx, { account, mailbox, uid: uids[index] as Uid, viewer, annotations, modSeq })
  }
  if (messages.some(({ annotations }) => annotations)) await checkAnnotationRoom(tx, account)
  return { modSeq, uidValidity: row.uid_validity, uids, emails }
}

/** Counts the messages in the mailbox; the first of their UIDs. Undefined when there is no such mailbox. */
function takeUids(
  tx: Tx,
  { account, mailbox, messages, modSeq }: AppendMessages & ReservedEmails,
  added: { readonly sizeBytes: number; readonly unseenCount: number; readonly deletedCount: number },
): Awaitable<{ first_uid: number; uid_validity: UidValidity } | undefined> {
  return tx.get(
    `UPDATE mailbox SET mod_seq = ?, uid_next = uid_next + ?, total = total + ?, unseen = unseen + ?, deleted = deleted + ?,
       size_bytes = size_bytes + ?
     WHERE account = ? AND id = ? RETURNING uid_next - ? AS first_uid, uid_validity`,
    modSeq,
    messages.length,
    messages.length,
    added.unseenCount,
    added.deletedCount,
    added.sizeBytes,
    account,
    mailbox,
    messages.length,
  )
}

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
