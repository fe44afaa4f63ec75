// Removes messages for good. RFC 9051 §6.4.3 and §6.4.9 (UID EXPUNGE); RFC 7162 §3.2.7 (modSeq of an expunge).
import { type Awaitable, together } from '../../base/awaitable.ts'
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import { deleted, seen } from '../flags.ts'
import type { Tx } from '../store.ts'
import { type UidRanges, uidsInRow } from '../uid-ranges.ts'
import { forgetGuestSeen } from './guest-seen.ts'
import { takeModSeq } from './next-mod-seq.ts'
import { maxUid } from './uid-limit.ts'

export interface ExpungeMessages {
  readonly account: AccountId
  readonly mailbox: MailboxId
  /** All messages by default. */
  readonly uids?: UidRanges | undefined
  /** Only those with \Deleted. */
  readonly onlyDeleted: boolean
}

/** The UIDs that are gone, ascending; `modSeq` is the mailbox's own where none is. Throws `no-such-mailbox`. */
export async function expungeMessages(
  tx: Tx,
  { account, mailbox, uids, onlyDeleted }: ExpungeMessages,
): Promise<{ readonly modSeq: ModSeq; readonly uids: Uint32Array }> {
  const [modSeq, known] = await together([
    takeModSeq(tx, account),
    tx.get<{ mod_seq: ModSeq; deleted: number }>(
      'SELECT mod_seq, deleted FROM mailbox WHERE account = ? AND id = ?',
      account,
      mailbox,
    ),
  ])
  if (!known) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  if (onlyDeleted && known.deleted === 0) return { modSeq: known.mod_seq, uids: uidsInRow([]) }
  const ranges = uids ?? [[1, maxUid]]
  const gone = await removeMessages(tx, { account, mailbox, ranges, modSeq, onlyDeleted, keepsUsage: false })
  if (gone.length === 0) return { modSeq: known.mod_seq, uids: gone }
  tx.changed(account, modSeq)
  return { modSeq, uids: gone }
}

/** Takes message rows away, leaves tombstones, and counts. The emails stay for who still shows them (`purge-orphans.ts`). */
export async function removeMessages(
  tx: Tx,
  args: {
    readonly account: AccountId
    readonly mailbox: MailboxId
    readonly ranges: UidRanges
    readonly modSeq: ModSeq
    readonly onlyDeleted: boolean
    /** The account's usage stays: the messages live on in another mailbox. */
    readonly keepsUsage: boolean
  },
): Promise<Uint32Array> {
  const { account, mailbox, ranges, modSeq, onlyDeleted, keepsUsage } = args
  const uids: Uid[] = []
  let sizeBytes = 0
  let unseenCount = 0
  let deletedCount = 0
  // With the mask 0 every message matches.
  const mask = onlyDeleted ? deleted : 0
  const boundsOf = ranges.map(([first, last]) => [account, mailbox, first, last, mask, mask] as const)
  const [known, ...rowsOf] = await together([
    tx.get<{ tombstones: number; guests: number }>(
      'SELECT tombstones, guests FROM mailbox WHERE account = ? AND id = ?',
      account,
      mailbox,
    ),
    ...boundsOf.map(bounds =>
      tx.arrays<[uid: Uid, flags: number, sizeBytes: number]>(
        `SELECT uid, flags, size_bytes FROM message
         WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND (flags & ?) = ? ORDER BY uid`,
        ...bounds,
      ),
    ),
  ])
  for (const [index, bounds] of boundsOf.entries()) {
    const rows = rowsOf[index] ?? []
    if (rows.length === 0) continue
    for (const [uid, flags, messageBytes] of rows) {
      uids.push(uid)
      sizeBytes += messageBytes
      if ((flags & seen) === 0) unseenCount++
      if ((flags & deleted) !== 0) deletedCount++
    }
    for (const statement of removeRows(tx, bounds, modSeq, keepsUsage)) tx.leave(statement)
  }
  if (uids.length === 0) return uidsInRow(uids)
  tx.leave(
    tx.run(
      `UPDATE mailbox SET mod_seq = ?, total = total - ?, unseen = unseen - ?, deleted = deleted - ?, size_bytes = size_bytes - ?,
         tombstones = tombstones + ? WHERE account = ? AND id = ?`,
      modSeq,
      uids.length,
      unseenCount,
      deletedCount,
      sizeBytes,
      uids.length,
      account,
      mailbox,
    ),
  )
  if (!keepsUsage) {
    tx.leave(
      tx.run(
        'UPDATE account SET used_bytes = used_bytes - ?, used_messages = used_messages - ? WHERE id = ?',
        sizeBytes,
        uids.length,
        account,
      ),
    )
  }
  if (known && known.guests > 0) await forgetGuestSeen(tx, account, mailbox, ranges)
  // A quarter over, so that the work is done for many at once.
  if (known && known.tombstones + uids.length > limits.store.tombstones * 1.25)
    await forgetTombstones(tx, account, mailbox)
  return uidsInRow(uids)
}

/** The statements that take the rows of one range away, in their order. */
function removeRows(
  tx: Tx,
  bounds: readonly [
    account: AccountId,
    mailbox: MailboxId,
    first: number,
    last: number,
    mask: number,
    set: number,
  ],
  modSeq: ModSeq,
  keepsUsage: boolean,
): readonly Awaitable<number>[] {
  const tombstones = tx.run(
    `INSERT INTO tombstone (account, mailbox, mod_seq, uid) SELECT account, mailbox, ?, uid FROM message
     WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND (flags & ?) = ? ORDER BY uid`,
    modSeq,
    ...bounds,
  )
  const orphans = keepsUsage
    ? 0
    : tx.run(
        `INSERT INTO orphan (since, account, email) SELECT ?, account, email FROM message
         WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND (flags & ?) = ?
         ON CONFLICT (since, account, email) DO NOTHING`,
        tx.nowMs,
        ...bounds,
      )
  const annotations = tx.run(
    `DELETE FROM message_annotation WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ?
       AND EXISTS (SELECT 1 FROM message m WHERE m.account = message_annotation.account AND m.mailbox = message_annotation.mailbox
         AND m.uid = message_annotation.uid AND (m.flags & ?) = ?)`,
    ...bounds,
  )
  const messages = tx.run(
    'DELETE FROM message WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND (flags & ?) = ?',
    ...bounds,
  )
  return [tombstones, orphans, annotations, messages]
}

/** Keeps the last `limits.store.tombstones` expunges; whoever asks from before the floor has to compare all UIDs (RFC 7162 §3.2.5.2). */
async function forgetTombstones(tx: Tx, account: AccountId, mailbox: MailboxId): Promise<void> {
  const last = await tx.get<{ mod_seq: ModSeq }>(
    'SELECT mod_seq FROM tombstone WHERE account = ? AND mailbox = ? ORDER BY mod_seq DESC, uid DESC LIMIT 1 OFFSET ?',
    account,
    mailbox,
    limits.store.tombstones,
  )
  if (!last) return
  const forgotten = await tx.run(
    'DELETE FROM tombstone WHERE account = ? AND mailbox = ? AND mod_seq <= ?',
    account,
    mailbox,
    last.mod_seq,
  )
  await tx.run(
    'UPDATE mailbox SET tombstones = tombstones - ?, tombstone_floor = ? WHERE account = ? AND id = ?',
    forgotten,
    last.mod_seq,
    account,
    mailbox,
  )
}
