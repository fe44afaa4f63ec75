// How a snapshot comes to be: from all the rows, from its packed form, or from the state before and what changed since. Pure: each back-end reads in its own way.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import {
  bytesPerMessage,
  copyRows,
  findUid,
  lowerBound,
  makeColumns,
  makeColumnsSlowly,
  roomFor,
  setRow,
  type SnapshotColumns,
  type SnapshotRow,
} from './columns.ts'
import { applyMask } from '../flags.ts'
import type { Draft } from './draft.ts'
import {
  LiveSnapshot,
  type MailboxState,
  type RecentHistory,
  type SnapshotContext,
  type SnapshotState,
} from './live-snapshot.ts'
import { messagesPerChunk } from './packed-chunk.ts'
import { findPackedHeader, isSound, type PackedHeader, unpackUids, unpackUidsSlowly } from './packing.ts'
import { RecentChanges } from './recent-changes.ts'

/** What is known of a mailbox's packed snapshot. */
export interface Packed {
  /** 0 when there is none. */
  readonly modSeq: number
  readonly checksums: readonly number[]
}

export interface SnapshotEntry {
  readonly snapshot: LiveSnapshot
  packed: Packed
  /** Messages that changed since then. */
  drift: number
  /** What the next state is made in. */
  draft?: Draft
}

export interface SnapshotKey {
  readonly account: AccountId
  readonly mailbox: MailboxId
}

/** An expunge: its UID and modSeq. */
export type GoneRow = readonly [uid: number, modSeq: number]

/** A message that was there before: its flags and modSeq now. */
export type ChangedRow = readonly [uid: number, flags: number, modSeq: number]

/** A mask that was laid over the messages between two UIDs, where it is known. */
export type MaskRow = readonly [
  modSeq: number,
  firstUid: number,
  lastUid: number,
  clears: number | null,
  adds: number | null,
]

/** The header row of a packed snapshot. */
export type PackedRow = readonly [modSeq: number, data: Uint8Array]

/** Objects of a snapshot, besides its columns and its history. */
const objectBytes = 2560
const bytesPerChange = 16

/** The entry's weight in a cache, with all its columns. */
export function entryBytes({ snapshot }: SnapshotEntry): number {
  const { changed, vanished } = snapshot.history
  return (
    roomFor(snapshot.count) * bytesPerMessage +
    (changed.count + vanished.count) * bytesPerChange +
    objectBytes
  )
}

/** Whether the snapshot is worth packing anew. */
export function hasDrifted({ snapshot, packed, drift }: SnapshotEntry): boolean {
  if (snapshot.count < messagesPerChunk) return false
  return packed.modSeq === 0 || drift >= Math.max(messagesPerChunk / 2, snapshot.count / 16)
}

/** Whether to read it at once would hold up others for long. */
export function isLarge(count: number): boolean {
  return count > limits.store.readAtOnce
}

/** From all the messages by UID; `packedModSeq` is that of a packed form that does not fit, 0 for none. */
export function snapshotOfRows(
  context: SnapshotContext,
  key: SnapshotKey,
  state: MailboxState,
  rows: readonly SnapshotRow[],
  packedModSeq: number,
): SnapshotEntry {
  const columns = makeColumns(roomFor(rows.length))
  for (let i = 0; i < rows.length; i++) setRow(columns, i, rows[i] as SnapshotRow)
  const snapshot = new LiveSnapshot(context, key, state, rows.length, columns, newHistory(state.modSeq))
  return { snapshot, packed: { modSeq: packedModSeq, checksums: [] }, drift: rows.length }
}

/**
 * The same of a large mailbox: `slices` are the state's messages, each as they are when it is asked for, and others run in between. `applyChanges` does
 * the rest.
 */
export async function snapshotOfSlices(
  context: SnapshotContext,
  key: SnapshotKey,
  state: MailboxState,
  slices: Iterable<readonly SnapshotRow[]>,
  packedModSeq: number,
): Promise<SnapshotEntry> {
  const columns = await makeColumnsSlowly(roomFor(state.total))
  let count = 0
  for (const rows of slices) {
    for (const row of rows) setRow(columns, count++, row)
    await new Promise(setImmediate)
  }
  const snapshot = new LiveSnapshot(context, key, state, count, columns, newHistory(state.modSeq))
  return { snapshot, packed: { modSeq: packedModSeq, checksums: [] }, drift: count }
}

/** The header when what it leads to can be brought to `state`. */
export function usableHeader([modSeq, data]: PackedRow, state: MailboxState): PackedHeader | undefined {
  const header = findPackedHeader(data)
  const isUsable = modSeq <= state.modSeq && leadsFrom(modSeq, state)
  return isUsable && header?.uidValidity === state.uidValidity ? header : undefined
}

/** The UIDs that the header says, with room for more; undefined when it contradicts itself. */
export function uidsOfHeader(header: PackedHeader): Uint32Array | undefined {
  return isSound(header) ? unpackUids(header, spareFor(header)) : undefined
}

/** The same of a large mailbox, while others run in between. */
export async function uidsOfHeaderSlowly(header: PackedHeader): Promise<Uint32Array | undefined> {
  return isSound(header) ? await unpackUidsSlowly(header, spareFor(header)) : undefined
}

function spareFor({ count }: PackedHeader): number {
  return roomFor(count) - count
}

/** From the columns of the packed form, as it was at `modSeq`. `applyChanges` does the rest. */
export function snapshotOfColumns(
  context: SnapshotContext,
  key: SnapshotKey,
  state: MailboxState,
  modSeq: number,
  { count, checksums }: PackedHeader,
  columns: SnapshotColumns,
): SnapshotEntry {
  const before = { ...state, modSeq: modSeq as MailboxState['modSeq'] }
  const snapshot = new LiveSnapshot(context, key, before, count, columns, newHistory(modSeq))
  return { snapshot, packed: { modSeq, checksums }, drift: 0 }
}

/**
 * From the header alone, where nothing has changed since `state` was packed: SELECT needs no more. `load` reads the rest when it is asked for, in
 * the order of `uids`; `loadSlowly` that of a large one. Undefined when the header contradicts itself.
 */
export function snapshotOfHeader(
  context: SnapshotContext,
  key: SnapshotKey,
  state: MailboxState,
  header: PackedHeader,
  load: (uids: Uint32Array) => SnapshotColumns,
  loadSlowly: (uids: Uint32Array) => Promise<SnapshotColumns>,
): SnapshotEntry | undefined {
  const { count, checksums, survey } = header
  if (count !== state.total || !isSound(header)) return undefined
  let known: Uint32Array | undefined
  const uids = () => (known ??= unpackUids(header, spareFor(header)))
  const uidsSlowly = async () => {
    const unpacked = known ?? (await unpackUidsSlowly(header, spareFor(header)))
    return (known ??= unpacked)
  }
  const slowly = isLarge(count) && { loadSlowly: async () => loadSlowly(await uidsSlowly()) }
  const columns = { uids, load: () => load(uids()), ...slowly }
  const snapshot = new LiveSnapshot(context, key, state, count, columns, newHistory(state.modSeq), survey)
  return { snapshot, packed: { modSeq: state.modSeq, checksums }, drift: 0 }
}

/** The columns of `uids` from the rows that there are now; what is gone meanwhile is left empty. */
export function columnsOfRows(
  uids: Uint32Array,
  count: number,
  rows: readonly SnapshotRow[],
): SnapshotColumns {
  const columns = { ...makeColumns(uids.length), uids }
  let position = 0
  for (const row of rows) {
    while (position < count && (uids[position] as number) < row[0]) position++
    if (position < count && uids[position] === row[0]) setRow(columns, position, row)
  }
  return columns
}

/** Whether what changed since the entry leads to `state`: not when some of it is forgotten. */
export function canFollow({ snapshot }: SnapshotEntry, state: MailboxState): boolean {
  return leadsFrom(snapshot.modSeq, state) && state.uidValidity === snapshot.uidValidity
}

/** Whether all that changed after `modSeq` is still known. */
function leadsFrom(modSeq: number, { tombstoneFloor, changeFloor }: MailboxState): boolean {
  return tombstoneFloor <= modSeq && changeFloor <= modSeq
}

/** The largest UID that there was: those above it are new. */
export function lastUidOf({ snapshot, draft }: SnapshotEntry): number {
  if (draft) return draft.uidNext - 1
  const { uids, count } = snapshot
  return count > 0 ? (uids[count - 1] as number) : 0
}

/** How far expunges are known. */
export function goneUpTo({ snapshot, draft }: SnapshotEntry): number {
  return draft?.goneUpTo ?? snapshot.modSeq
}

/**
 * The next state of a snapshot: `changed` are all that changed after it, ordered by modSeq and UID, `gone` those after `goneUpTo`, ordered so too, and
 * `added` is what is above `lastUidOf`, by UID. Undefined when they do not lead to `state`; then begin again.
 */
export function applyChanges(
  context: SnapshotContext,
  entry: SnapshotEntry,
  state: MailboxState,
  gone: readonly GoneRow[],
  changed: readonly ChangedRow[],
  added: readonly SnapshotRow[],
): SnapshotEntry | undefined {
  const { snapshot: before, packed, draft } = entry
  let { columns, count } = draft ?? before
  const positions: number[] = []
  let position = -1
  for (const [uid] of gone) {
    position = findUid(columns.uids, count, uid, position + 1)
    if (position < count && columns.uids[position] === uid) positions.push(position)
  }
  // The arrays that were given out keep their UIDs: without the messages that are gone, and where there is no room, there are new ones.
  if (positions.length > 0 || count + added.length > columns.uids.length) {
    const left = count - positions.length
    const hasRoom = draft !== undefined && draft.isOwn && left + added.length <= columns.uids.length
    const next = hasRoom ? columns : makeColumns(roomFor(left + added.length))
    count = copyWithout(columns, count, positions, next)
    columns = next
  }
  position = 0
  for (const [uid, flags, modSeq] of changed) {
    position = findUid(columns.uids, count, uid, position + 1)
    // A UID that was not there before and is not behind the last one: not what this store writes, so begin again.
    if (position >= count || columns.uids[position] !== uid) return undefined
    columns.flags[position] = flags
    columns.modSeqs[position] = modSeq
  }
  for (const row of added) setRow(columns, count++, row)
  if (count !== state.total) return undefined
  const history = nextHistory(entry, state, changed, added)
  for (const [uid, at] of gone) history.vanished.add(uid, at)
  const drift =
    entry.drift +
    changed.length +
    added.length +
    gone.length +
    (draft?.goneCount ?? 0) +
    (draft?.addedCount ?? 0)
  return { snapshot: new LiveSnapshot(context, before, state, count, columns, history), packed, drift }
}

function nextHistory(
  { snapshot: { history }, draft }: SnapshotEntry,
  { modSeq }: MailboxState,
  changed: readonly ChangedRow[],
  added: readonly SnapshotRow[],
): RecentHistory {
  const vanished = draft?.vanished ?? history.vanished
  // Where many have come, all are looked at for what changed sooner than one by one.
  if (draft && draft.addedCount > 0) return { vanished, changed: new RecentChanges(modSeq) }
  if (added.length === 0) for (const [uid, , at] of changed) history.changed.add(uid, at)
  else for (const [uid, at] of pairsOf(changed, added)) history.changed.add(uid, at)
  return { vanished, changed: history.changed }
}

/**
 * The next state of a snapshot that has the same messages, by masks in the order of their modSeqs: what the store did to its own. Undefined when one of them
 * is another kind of change, which can't be made anew over those behind it, or when a message has been read since as it was later (`LazyColumns`), so that it
 * can't be told what changed it.
 */
export function applyMasks(
  context: SnapshotContext,
  { snapshot, packed, drift }: SnapshotEntry,
  state: SnapshotState,
  masks: readonly MaskRow[],
): SnapshotEntry | undefined {
  const { columns, count, history } = snapshot
  const { uids, flags, modSeqs } = columns
  if (masks.some(mask => mask[3] === null || isReadLater(snapshot, mask))) return undefined
  let changed = 0
  for (const [modSeq, first, last, clears, adds] of masks) {
    const mask = { clears: clears ?? 0, adds: adds ?? 0 }
    const end = lowerBound(uids, count, last + 1)
    for (let position = lowerBound(uids, count, first); position < end; position++) {
      const before = flags[position] as number
      const after = applyMask(before, mask)
      if (after === before) continue
      flags[position] = after
      modSeqs[position] = modSeq
      history.changed.add(uids[position] as number, modSeq)
      changed++
    }
  }
  const next = new LiveSnapshot(context, snapshot, state, count, columns, history)
  return { snapshot: next, packed, drift: drift + changed }
}

function isReadLater(
  { columns, count, modSeq }: Pick<LiveSnapshot, 'columns' | 'count' | 'modSeq'>,
  [, first, last]: MaskRow,
): boolean {
  const end = lowerBound(columns.uids, count, last + 1)
  for (let position = lowerBound(columns.uids, count, first); position < end; position++)
    if ((columns.modSeqs[position] as number) > modSeq) return true
  return false
}

/** The rows that masks make of a snapshot's messages but for those that are `gone` after `goneUpTo`, in the order of `masks`. Undefined as with `applyMasks`. */
export function changedByMasks(
  { snapshot, draft }: SnapshotEntry,
  masks: readonly MaskRow[],
  gone: readonly GoneRow[],
): readonly ChangedRow[] | undefined {
  if (masks.length === 0) return []
  const { columns, count } = draft ?? snapshot
  const { modSeq } = snapshot
  if (masks.some(mask => mask[3] === null || isReadLater({ columns, count, modSeq }, mask))) return undefined
  const isGone = new Set(gone.map(([uid]) => uid))
  const changed: ChangedRow[] = []
  /** The flags of what has been changed, where more follows. */
  const flagsNow = masks.length > 1 ? new Map<number, number>() : undefined
  for (const [modSeq, first, last, clears, adds] of masks) {
    const mask = { clears: clears ?? 0, adds: adds ?? 0 }
    const end = lowerBound(columns.uids, count, last + 1)
    for (let position = lowerBound(columns.uids, count, first); position < end; position++) {
      const before = flagsNow?.get(position) ?? (columns.flags[position] as number)
      const after = applyMask(before, mask)
      const uid = columns.uids[position] as number
      if (after === before || isGone.has(uid)) continue
      flagsNow?.set(position, after)
      changed.push([uid, after, modSeq])
    }
  }
  return changed
}

/** The pairs of UID and modSeq of all rows, in the order of modSeq. */
function pairsOf(
  changed: readonly ChangedRow[],
  added: readonly SnapshotRow[],
): readonly (readonly [uid: number, modSeq: number])[] {
  const pairs: (readonly [uid: number, modSeq: number])[] = []
  for (const [uid, , modSeq] of changed) pairs.push([uid, modSeq])
  for (const [uid, , modSeq] of added) pairs.push([uid, modSeq])
  return pairs.sort((a, b) => a[1] - b[1] || a[0] - b[0])
}

function newHistory(modSeq: number): RecentHistory {
  return { changed: new RecentChanges(modSeq), vanished: new RecentChanges(modSeq) }
}

/** Copies all `count` rows, perhaps within the same arrays, but those at the positions given (in any order); the count of what is left. */
function copyWithout(
  before: SnapshotColumns,
  count: number,
  positions: number[],
  next: SnapshotColumns,
): number {
  positions.sort((a, b) => a - b)
  let from = 0
  let to = 0
  for (const position of [...positions, count]) {
    // Neighbours often go together, and in the same arrays those before the first stay where they are.
    if (position > from && (from > to || before !== next)) copyRows(before, from, position, next, to)
    to += position - from
    from = position + 1
  }
  return to
}
