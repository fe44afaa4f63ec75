// Copies and moves messages between mailboxes of one account. RFC 9051 §6.4.7 and §6.4.8; RFC 4315 §3 (COPYUID); RFC 8474 §5.1 (EMAILID is kept).
import type { AccountId, MailboxId, ModSeq, Uid, UidValidity } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import { deleted, seen } from '../flags.ts'
import type { Tx } from '../store.ts'
import type { UidRanges } from '../uid-ranges.ts'
import { checkAnnotationRoom } from './check-annotation-room.ts'
import { countUsage } from './check-quota.ts'
import { removeMessages } from './expunge-messages.ts'
import { takeModSeq } from './next-mod-seq.ts'
import { maxUid } from './uid-limit.ts'

export interface CopyMessages {
  readonly account: AccountId
  readonly mailbox: MailboxId
  readonly uids: UidRanges
  readonly target: MailboxId
  /** Whose private annotations go along (RFC 5257 §4.6): the account's own by default. */
  readonly viewer?: AccountId | undefined
}

export interface CopiedMessages {
  readonly modSeq: ModSeq
  /** Of the target. */
  readonly uidValidity: UidValidity
  /** Pairs with `targetUids`; UIDs that are gone are left out. */
  readonly sourceUids: readonly Uid[]
  readonly targetUids: readonly Uid[]
}

/** Flags, INTERNALDATE and the email are kept. Throws `no-such-mailbox` (its message says which one), `over-quota`, `too-many`. */
export async function copyMessages(tx: Tx, args: CopyMessages): Promise<CopiedMessages> {
  const { account } = args
  const modSeq = await takeModSeq(tx, account)
  const { result, sizeBytes } = await copyRows(tx, args, modSeq)
  if (result.sourceUids.length === 0) return result
  await countUsage(tx, account, { messages: result.sourceUids.length, sizeBytes })
  tx.changed(account, modSeq)
  return result
}

/** Like `copyMessages`, and the originals are gone in the same transaction; quotas do not matter. */
export async function moveMessages(tx: Tx, args: CopyMessages): Promise<CopiedMessages> {
  const { account, mailbox } = args
  const modSeq = await takeModSeq(tx, account)
  const { result, ranges } = await copyRows(tx, args, modSeq, true)
  if (result.sourceUids.length === 0) return result
  await removeMessages(tx, { account, mailbox, ranges, modSeq, onlyDeleted: false, keepsUsage: true })
  tx.changed(account, modSeq)
  return result
}

/** Copies rows of messages; the account's usage is left to the caller. */
export async function copyRows(
  tx: Tx,
  { account, mailbox, uids, target, viewer = account }: CopyMessages,
  modSeq: ModSeq,
  isMove = false,
): Promise<{ result: CopiedMessages; sizeBytes: number; ranges: UidRanges }> {
  const source = await tx.get<{ uid_next: number }>(
    'SELECT uid_next FROM mailbox WHERE account = ? AND id = ?',
    account,
    mailbox,
  )
  if (!source) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  const into = await tx.get<{ uid_next: number; uid_validity: UidValidity }>(
    'SELECT uid_next, uid_validity FROM mailbox WHERE account = ? AND id = ?',
    account,
    target,
  )
  if (!into) throw new StoreError('no-such-mailbox', 'the target mailbox is gone')
  // A copy into the same mailbox must not meet its own copies.
  const ranges = uids
    .filter(([first]) => first < source.uid_next)
    .map(([first, last]) => [first, Math.min(last, source.uid_next - 1)] as const)
  const sourceUids: Uid[] = []
  const targetUids: Uid[] = []
  let sizeBytes = 0
  let unseenCount = 0
  let deletedCount = 0
  let annotationCount = 0
  for (const [first, last] of ranges) {
    const rows = await tx.arrays<[uid: Uid, flags: number, sizeBytes: number]>(
      'SELECT uid, flags, size_bytes FROM message WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid',
      account,
      mailbox,
      first,
      last,
    )
    if (rows.length === 0) continue
    const firstTarget = into.uid_next + targetUids.length
    if (firstTarget + rows.length - 1 > maxUid)
      throw new StoreError('too-many', 'the mailbox has no UIDs left')
    for (const [uid, flags, messageBytes] of rows) {
      sourceUids.push(uid)
      targetUids.push((into.uid_next + targetUids.length) as Uid)
      sizeBytes += messageBytes
      if ((flags & seen) === 0) unseenCount++
      if ((flags & deleted) !== 0) deletedCount++
    }
    await tx.run(
      `INSERT INTO message (account, mailbox, uid, email, flags, mod_seq, size_bytes, received_at, saved_at)
       SELECT account, ?, ? + row_number() OVER (ORDER BY uid), email, flags, ?, size_bytes, received_at, ?
       FROM message WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid`,
      target,
      firstTarget - 1,
      modSeq,
      tx.nowMs,
      account,
      mailbox,
      first,
      last,
    )
    annotationCount += await copyAnnotations(
      tx,
      { account, mailbox, target, viewer, modSeq },
      rows.map(([uid], at) => [uid, (firstTarget + at) as Uid]),
    )
  }
  if (annotationCount > 0 && !isMove) await checkAnnotationRoom(tx, account)
  if (sourceUids.length > 0) {
    await tx.run(
      `UPDATE mailbox SET mod_seq = ?, uid_next = uid_next + ?, total = total + ?, unseen = unseen + ?, deleted = deleted + ?,
         size_bytes = size_bytes + ? WHERE account = ? AND id = ?`,
      modSeq,
      sourceUids.length,
      sourceUids.length,
      unseenCount,
      deletedCount,
      sizeBytes,
      account,
      target,
    )
  }
  return {
    result: { modSeq, uidValidity: into.uid_validity, sourceUids, targetUids },
    sizeBytes,
    ranges,
  }
}

/** RFC 5257 §4.6: shared annotations, and of the private ones those of who copies. `pairs` are the UIDs there and here, ascending. */
async function copyAnnotations(
  tx: Tx,
  place: {
    readonly account: AccountId
    readonly mailbox: MailboxId
    readonly target: MailboxId
    readonly viewer: AccountId
    readonly modSeq: ModSeq
  },
  pairs: readonly (readonly [source: Uid, target: Uid])[],
): Promise<number> {
  const { account, mailbox, target, viewer, modSeq } = place
  const annotated = await tx.arrays<[uid: Uid]>(
    `SELECT DISTINCT uid FROM message_annotation
     WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND owner IN (0, ?) AND value IS NOT NULL`,
    account,
    mailbox,
    pairs[0]?.[0] ?? 0,
    pairs.at(-1)?.[0] ?? 0,
    viewer,
  )
  if (annotated.length === 0) return 0
  const targets = new Map(pairs)
  let count = 0
  for (const [uid] of annotated) {
    count += await tx.run(
      `INSERT INTO message_annotation (account, mailbox, uid, owner, entry, value, mod_seq)
       SELECT account, ?, ?, owner, entry, value, ? FROM message_annotation
       WHERE account = ? AND mailbox = ? AND uid = ? AND owner IN (0, ?) AND value IS NOT NULL`,
      target,
      targets.get(uid) ?? 0,
      modSeq,
      account,
      mailbox,
      uid,
      viewer,
    )
  }
  return count
}
