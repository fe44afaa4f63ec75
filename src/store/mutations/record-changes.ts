// Remembers which messages a mutation has changed, for snapshots that follow.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import type { FlagMask } from '../flags.ts'
import type { Tx } from '../store.ts'
import type { UidRanges } from '../uid-ranges.ts'

export interface ChangedMessages {
  readonly account: AccountId
  readonly mailbox: MailboxId
  /** What the messages' rows have now. */
  readonly modSeq: ModSeq
  /** Ascending, at least one; not those that are new. With a mask all that it was laid over, whether it changed them or not. */
  readonly uids: UidRanges
  /** What was done to all of them. */
  readonly mask?: FlagMask | undefined
  /** What is added to the mailbox's counts. */
  readonly unseen: number
  readonly deleted: number
  /** The mailbox's count of remembered ranges until now. */
  readonly changes: number
}

/** Writes the mailbox's row: its modSeq, its counts, and the ranges of what was changed. */
export async function recordChanges(tx: Tx, change: ChangedMessages): Promise<void> {
  const { account, mailbox, modSeq, unseen, deleted, changes } = change
  const mask = change.uids.length <= maskedRanges ? change.mask : undefined
  const ranges = mask ? change.uids : closeRanges(change.uids)
  for (const [first, last] of ranges) {
    tx.leave(
      tx.run(
        'INSERT INTO message_change (account, mailbox, mod_seq, first_uid, last_uid, clears, adds) VALUES (?, ?, ?, ?, ?, ?, ?)',
        account,
        mailbox,
        modSeq,
        first,
        last,
        mask?.clears ?? null,
        mask?.adds ?? null,
      ),
    )
  }
  tx.leave(
    tx.run(
      `UPDATE mailbox SET mod_seq = ?, unseen = unseen + ?, deleted = deleted + ?, changes = changes + ?
       WHERE account = ? AND id = ?`,
      modSeq,
      unseen,
      deleted,
      ranges.length,
      account,
      mailbox,
    ),
  )
  // A quarter over, so that the work is done for many at once.
  if (changes + ranges.length > limits.store.changes * 1.25) await forgetChanges(tx, account, mailbox)
}

/** More ranges than these are closed up, and are no longer what the mask was laid over. */
const maskedRanges = 16

/** Unchanged messages that a range may go over: who reads it leaves them out by their modSeq. */
const gap = 8

function closeRanges(uids: UidRanges): UidRanges {
  const ranges: [number, number][] = []
  for (const [first, last] of uids) {
    const previous = ranges[ranges.length - 1]
    if (previous && first - previous[1] <= gap) previous[1] = last
    else ranges.push([first, last])
  }
  return ranges
}

/** Keeps the last `limits.store.changes` ranges; a snapshot from before the floor is read anew. */
async function forgetChanges(tx: Tx, account: AccountId, mailbox: MailboxId): Promise<void> {
  const last = await tx.get<{ mod_seq: ModSeq }>(
    'SELECT mod_seq FROM message_change WHERE account = ? AND mailbox = ? ORDER BY mod_seq DESC, first_uid DESC LIMIT 1 OFFSET ?',
    account,
    mailbox,
    limits.store.changes,
  )
  if (!last) return
  const forgotten = await tx.run(
    'DELETE FROM message_change WHERE account = ? AND mailbox = ? AND mod_seq <= ?',
    account,
    mailbox,
    last.mod_seq,
  )
  await tx.run(
    'UPDATE mailbox SET changes = changes - ?, change_floor = ? WHERE account = ? AND id = ?',
    forgotten,
    last.mod_seq,
    account,
    mailbox,
  )
}
