// Copies and moves messages between mailboxes of one account. RFC 9051 §6.4.7 and §6.4.8; RFC 4315 §3 (COPYUID); RFC 8474 §5.1 (EMAILID is kept).
import { type Awaitable, together } from '../../base/awaitable.ts'
import type { AccountId, MailboxId, ModSeq, Uid, UidValidity } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import { deleted, seen } from '../flags.ts'
import type { Tx } from '../store.ts'
import { type UidRanges, uidsInRow } from '../uid-ranges.ts'
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
  readonly sourceUids: Uint32Array
  readonly targetUids: Uint32Array
}

/** Flags, INTERNALDATE and the email are kept. Throws `no-such-mailbox` (its message says which one), `over-quota`, `too-many`. */
export async function copyMessages(tx: Tx, args: CopyMessages): Promise<CopiedMessages> {
  const { account } = args
  const { result, sizeBytes } = await copyRows(tx, args, takeModSeq(tx, account))
  if (result.sourceUids.length === 0) return result
  await countUsage(tx, account, { messages: result.sourceUids.length, sizeBytes })
  tx.changed(account, result.modSeq)
  return result
}

/** Like `copyMessages`, and the originals are gone in the same transaction; quotas do not matter. */
export async function moveMessages(tx: Tx, args: CopyMessages): Promise<CopiedMessages> {
  const { account, mailbox } = args
  const { result, ranges } = await copyRows(tx, args, takeModSeq(tx, account), true)
  if (result.sourceUids.length === 0) return result
  const { modSeq } = result
  await removeMessages(tx, { account, mailbox, ranges, modSeq, onlyDeleted: false, keepsUsage: true })
  tx.changed(account, modSeq)
  return result
}

/** Copies rows of messages with the account locked, at `taken`; its usage is left to the caller. */
export async function copyRows(
  tx: Tx,
  { account, mailbox, uids, target, viewer = account }: CopyMessages,
  taken: Awaitable<ModSeq>,
  isMove = false,
): Promise<{ result: CopiedMessages; sizeBytes: number; ranges: UidRanges }> {
  const mailboxRow = (id: MailboxId) =>
    tx.get<{ uid_next: number; uid_validity: UidValidity }>(
      'SELECT uid_next, uid_validity FROM mailbox WHERE account = ? AND id = ?',
      account,
      id,
    )
  const [modSeq, source, into, annotated, ...rowsOf] = await together([
    taken,
    mailboxRow(mailbox),
    mailboxRow(target),
    annotatedUids(tx, account, mailbox, viewer, uids),
    ...uids.map(([first, last]) =>
      tx.arrays<[uid: Uid, flags: number, sizeBytes: number]>(
        'SELECT uid, flags, size_bytes FROM message WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid',
        account,
        mailbox,
        first,
        last,
      ),
    ),
  ])
  if (!source) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  if (!into) throw new StoreError('no-such-mailbox', 'the target mailbox is gone')
  // A copy into the same mailbox must not meet its own copies. Ranges ascend, so only last ones go.
  const ranges = uids
    .filter(([first]) => first < source.uid_next)
    .map(([first, last]) => [first, Math.min(last, source.uid_next - 1)] as const)
  const sourceUids: Uid[] = []
  const targetUids: Uid[] = []
  let sizeBytes = 0
  let unseenCount = 0
  let deletedCount = 0
  for (const [index, [first, last]] of ranges.entries()) {
    const rows = rowsOf[index] ?? []
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
    tx.leave(
      tx.run(
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
      ),
    )
  }
  if (annotated.length > 0) {
    const targets = new Map(sourceUids.map((uid, at) => [uid, targetUids[at] as Uid]))
    for (const [uid] of annotated)
      copyAnnotations(tx, { account, mailbox, target, viewer, modSeq }, uid, targets.get(uid))
    if (!isMove) await checkAnnotationRoom(tx, account)
  }
  if (sourceUids.length > 0) {
    tx.leave(
      tx.run(
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
      ),
    )
  }
  const result: CopiedMessages = {
    modSeq,
    uidValidity: into.uid_validity,
    sourceUids: uidsInRow(sourceUids),
    targetUids: uidsInRow(targetUids),
  }
  return { result, sizeBytes, ranges }
}

/** Messages within the ranges, or between them, with annotations that go along: shared ones, and of the private ones those of who copies (RFC 5257 §4.6). */
function annotatedUids(
  tx: Tx,
  account: AccountId,
  mailbox: MailboxId,
  viewer: AccountId,
  uids: UidRanges,
): Awaitable<readonly (readonly [Uid])[]> {
  return tx.arrays<[uid: Uid]>(
    `SELECT DISTINCT uid FROM message_annotation
     WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND owner IN (0, ?) AND value IS NOT NULL`,
    account,
    mailbox,
    uids[0]?.[0] ?? 0,
    uids.at(-1)?.[1] ?? 0,
    viewer,
  )
}

/** Those of one message, unless it is not copied. */
function copyAnnotations(
  tx: Tx,
  place: {
    readonly account: AccountId
    readonly mailbox: MailboxId
    readonly target: MailboxId
    readonly viewer: AccountId
    readonly modSeq: ModSeq
  },
  uid: Uid,
  targetUid: Uid | undefined,
): void {
  if (targetUid === undefined) return
  const { account, mailbox, target, viewer, modSeq } = place
  tx.leave(
    tx.run(
      `INSERT INTO message_annotation (account, mailbox, uid, owner, entry, value, mod_seq)
       SELECT account, ?, ?, owner, entry, value, ? FROM message_annotation
       WHERE account = ? AND mailbox = ? AND uid = ? AND owner IN (0, ?) AND value IS NOT NULL`,
      target,
      targetUid,
      modSeq,
      account,
      mailbox,
      uid,
      viewer,
    ),
  )
}
