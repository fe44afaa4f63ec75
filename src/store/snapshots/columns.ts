// The arrays behind a mailbox snapshot, with room to grow.
import { limits } from '../../base/limits.ts'

/** All of one length, the capacity. */
export interface SnapshotColumns {
  readonly uids: Uint32Array
  readonly flags: Uint32Array
  readonly modSeqs: Float64Array
  readonly sizes: Float64Array
  readonly receivedAts: Float64Array
  readonly savedAts: Float64Array
  readonly emails: Float64Array
}

/** One message, in the order of the columns. */
export type SnapshotRow = readonly [
  uid: number,
  flags: number,
  modSeq: number,
  sizeBytes: number,
  receivedAt: number,
  savedAt: number,
  email: number,
]

/** Bytes of one message in the arrays. */
export const bytesPerMessage = 48

export function makeColumns(capacity: number): SnapshotColumns {
  return {
    uids: new Uint32Array(capacity),
    flags: new Uint32Array(capacity),
    modSeqs: new Float64Array(capacity),
    sizes: new Float64Array(capacity),
    receivedAts: new Float64Array(capacity),
    savedAts: new Float64Array(capacity),
    emails: new Float64Array(capacity),
  }
}

/** Room for what arrives next, so that most appends need no new arrays. */
export function roomFor(count: number): number {
  return count + Math.max(64, count >>> 4)
}

export function setRow(columns: SnapshotColumns, position: number, row: SnapshotRow): void {
  columns.uids[position] = row[0]
  columns.flags[position] = row[1]
  columns.modSeqs[position] = row[2]
  columns.sizes[position] = row[3]
  columns.receivedAts[position] = row[4]
  columns.savedAts[position] = row[5]
  columns.emails[position] = row[6]
}

/** Copies `[start, end)` of `from` to `position` on, which in the same arrays is not above `start`. */
export function copyRows(
  from: SnapshotColumns,
  start: number,
  end: number,
  to: SnapshotColumns,
  position: number,
): void {
  if (end - start < fewRows) {
    for (let at = start; at < end; at++) copyRow(from, at, to, position + at - start)
    return
  }
  to.uids.set(from.uids.subarray(start, end), position)
  to.flags.set(from.flags.subarray(start, end), position)
  to.modSeqs.set(from.modSeqs.subarray(start, end), position)
  to.sizes.set(from.sizes.subarray(start, end), position)
  to.receivedAts.set(from.receivedAts.subarray(start, end), position)
  to.savedAts.set(from.savedAts.subarray(start, end), position)
  to.emails.set(from.emails.subarray(start, end), position)
}

/** Fewer are copied one by one sooner than together. */
const fewRows = 32

function copyRow(from: SnapshotColumns, at: number, to: SnapshotColumns, position: number): void {
  to.uids[position] = from.uids[at] as number
  to.flags[position] = from.flags[at] as number
  to.modSeqs[position] = from.modSeqs[at] as number
  to.sizes[position] = from.sizes[at] as number
  to.receivedAts[position] = from.receivedAts[at] as number
  to.savedAts[position] = from.savedAts[at] as number
  to.emails[position] = from.emails[at] as number
}

/** The same of a large mailbox, perhaps with `uids` that there are, while others run in between: new memory takes as long to be had as to be written. */
export async function makeColumnsSlowly(capacity: number, uids?: Uint32Array): Promise<SnapshotColumns> {
  const words = async () => {
    const column = new Uint32Array(capacity)
    await new Promise(setImmediate)
    return column
  }
  const doubles = async () => {
    const column = new Float64Array(capacity)
    await new Promise(setImmediate)
    return column
  }
  return {
    uids: uids ?? (await words()),
    flags: await words(),
    modSeqs: await doubles(),
    sizes: await doubles(),
    receivedAts: await doubles(),
    savedAts: await doubles(),
    emails: await doubles(),
  }
}

/** Copies the first `count` rows but for those that are marked in `isGone`, with room for `capacity`, while others run in between. Nobody may write to `from` meanwhile. */
export async function copySlowly(
  from: SnapshotColumns,
  count: number,
  isGone: Uint8Array,
  capacity: number,
): Promise<{ columns: SnapshotColumns; count: number }> {
  const columns = await makeColumnsSlowly(capacity)
  const { messagesAtOnce } = limits.store
  let position = 0
  for (let start = 0; start < count; start += messagesAtOnce) {
    const marks = isGone.subarray(0, Math.min(start + messagesAtOnce, count))
    for (let at = start; at < marks.length; ) {
      const gone = marks.indexOf(1, at)
      const end = gone < 0 ? marks.length : gone
      copyRows(from, at, end, columns, position)
      position += end - at
      for (at = end; marks[at] === 1; ) at++
    }
    await new Promise(setImmediate)
  }
  return { columns, count: position }
}

/** The first position below `count` whose UID is not below `uid`; `count` when there is none. */
export function lowerBound(uids: Uint32Array, count: number, uid: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((uids[middle] as number) < uid) low = middle + 1
    else high = middle
  }
  return low
}

/** The same where it is looked for at `likely` first: what changes together most often lies together. */
export function findUid(uids: Uint32Array, count: number, uid: number, likely: number): number {
  return likely < count && uids[likely] === uid ? likely : lowerBound(uids, count, uid)
}
