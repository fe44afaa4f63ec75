// What the next state of a large mailbox is made in while others run: its messages without those of many that have gone since, and with many that have come.
// Nobody is given it before the rest of what changed is laid over it (`applyChanges`).
//
// Invariants: expunges never change and UIDs are not given twice, so both can be read before the rest, some at a time. What came is as it was when it was
// read, or as later changes, which are still to be read, will make it.
import { limits } from '../../base/limits.ts'
import type { GoneRow, SnapshotEntry } from './build-snapshot.ts'
import type { MailboxState } from './live-snapshot.ts'
import type { SnapshotRow } from './message-chunk.ts'
import type { MessageList } from './message-list.ts'
import type { RecentChanges } from './recent-changes.ts'

export interface Draft {
  readonly list: MessageList
  readonly count: number
  /** Expunges up to this modSeq are left out. */
  readonly goneUpTo: number
  /** All that has come with a UID below this is there. */
  readonly uidNext: number
  /** How many have gone and come since the state of before. */
  readonly goneCount: number
  readonly addedCount: number
  /** With those expunges. */
  readonly vanished: RecentChanges
}

/** Whether what has gone and come up to `state` takes long to lay over the entry. */
export function needsDraft({ snapshot, draft }: SnapshotEntry, { total, uidNext }: MailboxState): boolean {
  const { rowsAtOnce } = limits.store
  // Each message that comes takes a UID.
  const gone = snapshot.count + (uidNext - snapshot.uidNext) - total - (draft?.goneCount ?? 0)
  return gone > rowsAtOnce || uidNext - (draft ?? snapshot).uidNext > rowsAtOnce
}

/**
 * Takes the entry's draft, or its snapshot, on to `state` as far as it is about what has gone and what has come since, each in slices that are read when
 * they are asked for. The entry must not be brought up to date meanwhile.
 */
export async function continueDraft(
  { snapshot, draft }: SnapshotEntry,
  state: MailboxState,
  gone: Iterable<readonly GoneRow[]>,
  added: Iterable<readonly SnapshotRow[]>,
): Promise<Draft> {
  let { list, count } = draft ?? snapshot
  let goneCount = draft?.goneCount ?? 0
  let addedCount = draft?.addedCount ?? 0
  const vanished = draft?.vanished ?? snapshot.history.vanished.copy()
  for (const rows of gone) {
    for (let from = 0; from < rows.length; from += limits.store.removedAtOnce) {
      const some = rows.slice(from, from + limits.store.removedAtOnce)
      ;({ list, count } = leaveOut(list, count, some))
      await new Promise(setImmediate)
    }
    for (const [uid, modSeq] of rows) vanished.add(uid, modSeq)
    goneCount += rows.length
  }
  for (const rows of added) {
    list.append(count, rows)
    count += rows.length
    addedCount += rows.length
    await new Promise(setImmediate)
  }
  return { list, count, goneUpTo: state.modSeq, uidNext: state.uidNext, goneCount, addedCount, vanished }
}

/** The messages without those that have gone, in whatever order. Some may not be there. */
export function leaveOut(
  list: MessageList,
  count: number,
  gone: readonly GoneRow[],
): { readonly list: MessageList; readonly count: number } {
  const positions = list.positionsOf(gone, count).filter(position => position >= 0)
  if (positions.length === 0) return { list, count }
  // Of one expunge they ascend already.
  if (positions.some((position, at) => position < (positions[at - 1] ?? 0))) positions.sort((a, b) => a - b)
  return { list: list.without(count, positions), count: count - positions.length }
}
