// COPY and MOVE where a mailbox of another account is in it, all or nothing. RFC 9051 §6.4.7, §6.4.8; RFC 4314 §4; RFC 6851 §4.4.
//
// Inside one account the email stays the same one. In another account it is another email with the same body (RFC 8474 §5.1: EMAILID may differ
// where the server can't tell). Who copies keeps his own \Seen; the owner's goes along inside his account; to all others the copy is new.
import type { AccountId, BlobHash, EmailId, ModSeq, Uid, UidValidity } from '../../base/ids.ts'
import { assert } from '../../base/assert.ts'
import { StoreError } from '../error.ts'
import { deleted, keywordShift, seen, systemMask } from '../flags.ts'
import { type Rights, rightBits } from '../rights.ts'
import { sharedFlags } from '../shared-flags.ts'
import type { Tx } from '../store.ts'
import type { UidRanges } from '../uid-ranges.ts'
import { assignThread } from './assign-thread.ts'
import { checkAnnotationRoom } from './check-annotation-room.ts'
import { countUsage } from './check-quota.ts'
import type { CopiedMessages } from './copy-messages.ts'
import { removeMessages } from './expunge-messages.ts'
import { checkRights, lockAccounts, type MailboxRef } from './guest-rights.ts'
import { setGuestSeen } from './guest-seen.ts'
import { internKeywords, splitKeywords } from './intern-keywords.ts'
import { maxUid } from './uid-limit.ts'

export interface TransferMessages {
  /** Who does it; the owner of one of the mailboxes, of both or of none. */
  readonly actor: AccountId
  readonly source: MailboxRef
  readonly uids: UidRanges
  readonly target: MailboxRef
  /** The originals go in the same transaction. */
  readonly isMove: boolean
}

interface SourceRow {
  readonly uid: Uid
  readonly flags: number
  readonly email: EmailId
  readonly sizeBytes: number
  readonly receivedAt: number
  readonly isSeenByGuest: number | null
  readonly blob: Uint8Array
  readonly messageId: string
  readonly baseSubject: string
  readonly referenceIds: string
}

/** Throws `no-such-mailbox` (its message says which one), `over-quota` (of the target's owner), `too-many`. */
export async function transferMessages(tx: Tx, args: TransferMessages): Promise<CopiedMessages> {
  const { actor, source, target, isMove } = args
  const modSeqs = await lockAccounts(tx, [source.account, target.account])
  const modSeq = modSeqs.get(target.account) as ModSeq
  await checkRights(tx, actor, source, rightBits.r | (isMove ? rightBits.t | rightBits.e : 0))
  const rights = await checkRights(tx, actor, target, rightBits.i)
  const rows = await readSource(tx, args)
  const into = await tx.get<{ first_uid: number; uid_validity: UidValidity }>(
    'UPDATE mailbox SET uid_next = uid_next + ? WHERE account = ? AND id = ? RETURNING uid_next - ? AS first_uid, uid_validity',
    rows.length,
    target.account,
    target.mailbox,
    rows.length,
  )
  if (!into) throw new StoreError('no-such-mailbox', 'the target mailbox is gone')
  const result: CopiedMessages = {
    modSeq,
    uidValidity: into.uid_validity,
    sourceUids: Uint32Array.from(rows, ({ uid }) => uid),
    targetUids: Uint32Array.from(rows, (_row, index) => into.first_uid + index),
  }
  if (rows.length === 0) return result
  if (into.first_uid + rows.length - 1 > maxUid)
    throw new StoreError('too-many', 'the mailbox has no UIDs left')
  const isInside = source.account === target.account
  const emails = isInside ? rows.map(({ email }) => email) : await copyEmails(tx, args, rows)
  const flagsOf = flagTranslator(tx, args, sharedFlags(rights))
  const seenByActor: Uid[] = []
  let unseenCount = 0
  let deletedCount = 0
  let sizeBytes = 0
  for (const [index, row] of rows.entries()) {
    const isSeen = actor === source.account ? (row.flags & seen) !== 0 : row.isSeenByGuest === 1
    const isSeenByOwner = actor === target.account ? isSeen : isInside && (row.flags & seen) !== 0
    const flags = (await flagsOf(row.flags)) + (isSeenByOwner ? seen : 0)
    if (!isSeenByOwner) unseenCount++
    if (flags & deleted) deletedCount++
    sizeBytes += row.sizeBytes
    if (isSeen) seenByActor.push(result.targetUids[index] as Uid)
    await tx.run(
      `INSERT INTO message (account, mailbox, uid, email, flags, mod_seq, size_bytes, received_at, saved_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      target.account,
      target.mailbox,
      into.first_uid + index,
      emails[index] as EmailId,
      flags,
      modSeq,
      row.sizeBytes,
      row.receivedAt,
      tx.nowMs,
    )
  }
  await tx.run(
    `UPDATE mailbox SET mod_seq = ?, total = total + ?, unseen = unseen + ?, deleted = deleted + ?, size_bytes = size_bytes + ?
     WHERE account = ? AND id = ?`,
    modSeq,
    rows.length,
    unseenCount,
    deletedCount,
    sizeBytes,
    target.account,
    target.mailbox,
  )
  if (actor !== target.account && rights & rightBits.s && seenByActor.length > 0)
    await setGuestSeen(tx, {
      ...target,
      guest: actor,
      uids: seenByActor.map(uid => [uid, uid]),
      isSeen: true,
      modSeq,
    })
  if ((await copyAnnotations(tx, args, result, modSeq, rights)) > 0)
    await checkAnnotationRoom(tx, target.account)
  // Moving inside an account uses no more of it.
  if (!isMove || !isInside) await countUsage(tx, target.account, { messages: rows.length, sizeBytes })
  if (isMove) {
    const sourceModSeq = modSeqs.get(source.account) as ModSeq
    // Moved into the same mailbox, the copies stay.
    const lastUid = rows[rows.length - 1]?.uid ?? 0
    const ranges = args.uids
      .filter(([first]) => first <= lastUid)
      .map(([first, last]) => [first, Math.min(last, lastUid)] as const)
    await removeMessages(tx, {
      ...source,
      ranges,
      modSeq: sourceModSeq,
      onlyDeleted: false,
      keepsUsage: isInside,
    })
    tx.changed(source.account, sourceModSeq)
  }
  tx.changed(target.account, modSeq)
  return result
}

async function readSource(tx: Tx, { actor, source, uids }: TransferMessages): Promise<readonly SourceRow[]> {
  const rows: SourceRow[] = []
  for (const [first, last] of uids) {
    rows.push(
      ...(await tx.all<SourceRow>(
        `SELECT m.uid, m.flags, m.email, m.size_bytes AS "sizeBytes", m.received_at AS "receivedAt", s.is_seen AS "isSeenByGuest",
           e.blob, e.message_id AS "messageId", e.base_subject AS "baseSubject", e.reference_ids AS "referenceIds"
         FROM message m JOIN email e ON e.account = m.account AND e.id = m.email
           LEFT JOIN guest_seen s ON s.account = m.account AND s.mailbox = m.mailbox AND s.uid = m.uid AND s.guest = ?
         WHERE m.account = ? AND m.mailbox = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid`,
        actor,
        source.account,
        source.mailbox,
        first,
        last,
      )),
    )
  }
  return rows
}

/** Emails of the target's account with the same bodies; their ids, in the order of the rows. */
async function copyEmails(
  tx: Tx,
  { source, target }: TransferMessages,
  rows: readonly SourceRow[],
): Promise<readonly EmailId[]> {
  const reserved = await tx.get<{ first_email: number; first_thread: number }>(
    `UPDATE account SET next_email = next_email + ?, next_thread = next_thread + ? WHERE id = ?
     RETURNING next_email - ? AS first_email, next_thread - ? AS first_thread`,
    rows.length,
    rows.length,
    target.account,
    rows.length,
    rows.length,
  )
  assert(reserved !== undefined, 'the account is locked')
  const ids: EmailId[] = []
  for (const [index, row] of rows.entries()) {
    const id = (reserved.first_email + index) as EmailId
    const { messageId, baseSubject } = row
    const references = row.referenceIds === '' ? [] : row.referenceIds.split(' ')
    const thread = await assignThread(
      tx,
      target.account,
      { messageId, baseSubject, references },
      reserved.first_thread + index,
    )
    await Promise.all([
      tx.shareBody(source.account, target.account, Buffer.from(row.blob).toString('hex') as BlobHash),
      tx.run(
        `INSERT INTO email (account, id, blob, thread, size_bytes, header_bytes, received_at, sent_at, sent_zone_minutes, message_id, base_subject,
           is_reply, subject, sort_from, sort_to, sort_cc, display_from, display_to, reference_ids, preview, has_attachment, envelope,
           body_structure, parts)
         SELECT ?, ?, blob, ?, size_bytes, header_bytes, received_at, sent_at, sent_zone_minutes, message_id, base_subject,
           is_reply, subject, sort_from, sort_to, sort_cc, display_from, display_to, reference_ids, preview, has_attachment, envelope,
           body_structure, parts
         FROM email WHERE account = ? AND id = ?`,
        target.account,
        id,
        thread,
        source.account,
        row.email,
      ),
    ])
    ids.push(id)
  }
  return ids
}

/** Flags as the target's account has them, but \Seen: what the actor may not set is left out. */
function flagTranslator(
  tx: Tx,
  { source, target }: TransferMessages,
  may: ReturnType<typeof sharedFlags>,
): (flags: number) => Promise<number> {
  const sets = new Map<number, number>([[0, 0]])
  const translate = async (set: number): Promise<number> => {
    if (source.account === target.account) return set
    const row = await tx.get<{ keywords: string }>(
      'SELECT keywords FROM keyword_set WHERE account = ? AND id = ?',
      source.account,
      set,
    )
    return internKeywords(tx, target.account, splitKeywords(row?.keywords ?? ''))
  }
  return async flags => {
    const system = flags & systemMask & may.system
    if (!may.keywords) return system
    const set = flags >>> keywordShift
    const known = sets.get(set) ?? (await translate(set))
    sets.set(set, known)
    return system + known * 2 ** keywordShift
  }
}

/** RFC 5257 §3.4, §4.6: private annotations of who copies, and shared ones where he may make some. How many. */
async function copyAnnotations(
  tx: Tx,
  { actor, source, target }: TransferMessages,
  { sourceUids, targetUids }: CopiedMessages,
  modSeq: ModSeq,
  rights: Rights,
): Promise<number> {
  const sharedOwner = rights & rightBits.n ? 0 : actor
  const annotated = new Set(
    (
      await tx.arrays<[Uid]>(
        `SELECT DISTINCT uid FROM message_annotation
         WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND owner IN (?, ?) AND value IS NOT NULL`,
        source.account,
        source.mailbox,
        sourceUids[0] ?? 0,
        sourceUids.at(-1) ?? 0,
        sharedOwner,
        actor,
      )
    ).map(([uid]) => uid),
  )
  let count = 0
  for (const [index, uid] of sourceUids.entries()) {
    if (!annotated.has(uid as Uid)) continue
    count += await tx.run(
      `INSERT INTO message_annotation (account, mailbox, uid, owner, entry, value, mod_seq)
       SELECT ?, ?, ?, owner, entry, value, ? FROM message_annotation
       WHERE account = ? AND mailbox = ? AND uid = ? AND owner IN (?, ?) AND value IS NOT NULL`,
      target.account,
      target.mailbox,
      targetUids[index] as Uid,
      modSeq,
      source.account,
      source.mailbox,
      uid,
      sharedOwner,
      actor,
    )
  }
  return count
}
