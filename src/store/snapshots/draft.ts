// What the next state of a large mailbox is made in while others run: its messages without those of many that have gone since, and with many that have come.
// Nobody is given it before the rest of what changed is laid over it (`applyChanges`).
//
// Invariants: expunges never change and UIDs are not given twice, so both can be read before the rest, some at a time. What came is as it was when it was
// read, or as later changes, which are still to be read, will make it.
import { limits } from '../../base/limits.ts'
import type { GoneRow, SnapshotEntry } from './build-snapshot.ts'
import { copySlowly, findUid, roomFor, setRow, type SnapshotColumns, type SnapshotRow } from './columns.ts'
import type { LiveSnapshot, MailboxState } from './live-snapshot.ts'
import type { RecentChanges } from './recent-changes.ts'

export interface Draft {
  readonly columns: SnapshotColumns
  readonly count: number
  /** Nobody was given the columns; else only those behind the messages of before are new in them. */
  readonly isOwn: boolean
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
  const { rowsAtOnce, copyAtOnce } = limits.store
  // Each message that comes takes a UID.
  const gone = snapshot.count + (uidNext - snapshot.uidNext) - total - (draft?.goneCount ?? 0)
  const added = uidNext - (draft ?? snapshot).uidNext
  if (gone > rowsAtOnce || added > rowsAtOnce) return true
  return !draft && snapshot.count > copyAtOnce && (gone > 0 || total > snapshot.uids.length)
}

/** A snapshot that nobody was given yet. */
export function draftOf({ columns, count, modSeq, history }: LiveSnapshot): Draft {
  const uidNext = (columns.uids[count - 1] ?? 0) + 1
  const { vanished } = history
  return { columns, count, isOwn: true, goneUpTo: modSeq, uidNext, goneCount: 0, addedCount: 0, vanished }
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
  let { columns, count } = draft ?? snapshot
  let isOwn = draft !== undefined && draft.isOwn
  let goneCount = draft?.goneCount ?? 0
  let addedCount = draft?.addedCount ?? 0
  const vanished = draft?.vanished ?? snapshot.history.vanished.copy()
  const isGone = new Uint8Array(count)
  for (const rows of gone) {
    let position = -1
    for (const [uid, modSeq] of rows) {
      vanished.add(uid, modSeq)
      position = findUid(columns.uids, count, uid, position + 1)
      if (position < count && columns.uids[position] === uid) isGone[position] = 1
    }
    goneCount += rows.length
    await new Promise(setImmediate)
  }
  if (state.total > columns.uids.length || isGone.includes(1)) {
    ;({ columns, count } = await copySlowly(columns, count, isGone, roomFor(state.total)))
    isOwn = true
  }
  for (const rows of added) {
    for (const row of rows) setRow(columns, count++, row)
    addedCount += rows.length
    await new Promise(setImmediate)
  }
  return {
    columns,
    count,
    isOwn,
    goneUpTo: state.modSeq,
    uidNext: state.uidNext,
    goneCount,
    addedCount,
    vanished,
  }
}
