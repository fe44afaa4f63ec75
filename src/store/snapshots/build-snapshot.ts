// How a snapshot comes to be: from all the rows, from its packed form, or from the state before and what changed since. Pure: each back-end reads in its own way.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { applyMask } from '../flags.ts'
import { type Draft, leaveOut } from './draft.ts'
import {
  LiveSnapshot,
  type MailboxState,
  type RecentHistory,
  type SnapshotContext,
  type SnapshotState,
} from './live-snapshot.ts'
import {
  bytesPerMessage,
  type ChunkColumns,
  makeColumns,
  messagesPerChunk,
  setRow,
  type SnapshotRow,
} from './message-chunk.ts'
import { MessageList, type Piece } from './message-list.ts'
import type { ChunkContent } from './packed-columns.ts'
import { type ChunkHeads, findPackedHeader, lastUidIn, type PackedHeader, unpackList } from './packing.ts'
import { RecentChanges } from './recent-changes.ts'

/** What is known of a mailbox's packed snapshot. */
export interface Packed {
  /** 0 when there is none. */
  readonly modSeq: number
  readonly heads?: ChunkHeads | undefined
}

/** What is packed now. */
export function packedOf(row: PackedRow | undefined): Packed {
  return { modSeq: row?.[0] ?? 0, heads: row && findPackedHeader(row[1])?.heads }
}

export interface SnapshotEntry {
  readonly snapshot: LiveSnapshot
  packed: Packed
  /** Messages that changed since then. */
  drift: number
  /** How many messages the state has, where some had gone by the time they were read. */
  readonly total?: number
  /** What the next state is made in. */
  draft?: Draft
}

export interface SnapshotKey {
  readonly account: AccountId
  readonly mailbox: MailboxId
}

/** The same as a key of a map. */
export function keyOf({ account, mailbox }: SnapshotKey): string {
  return `${account}/${mailbox}`
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
  return snapshot.count * bytesPerMessage + (changed.count + vanished.count) * bytesPerChange + objectBytes
}

/** Whether the snapshot is worth packing anew. */
export function hasDrifted({ snapshot, packed, drift }: SnapshotEntry): boolean {
  if (snapshot.count < messagesPerChunk) return false
  return packed.modSeq === 0 || isWorthPacking(drift, snapshot.count)
}

/** The same of a mailbox that is packed: `drift` messages have changed since. */
export function isWorthPacking(drift: number, count: number): boolean {
  return drift >= Math.max(messagesPerChunk / 2, count / 16)
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
  const list = new MessageList()
  list.append(0, rows)
  return entryOfList(context, key, state, list, rows.length, packedModSeq)
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
  const list = new MessageList()
  let count = 0
  for (const rows of slices) {
    list.append(count, rows)
    count += rows.length
    await new Promise(setImmediate)
  }
  return { ...entryOfList(context, key, state, list, count, packedModSeq), total: state.total }
}

/** Of messages that were read. */
function entryOfList(
  context: SnapshotContext,
  key: SnapshotKey,
  state: MailboxState,
  list: MessageList,
  count: number,
  packedModSeq: number,
): SnapshotEntry {
  const snapshot = new LiveSnapshot(context, key, state, count, list, newHistory(state.modSeq))
  return { snapshot, packed: { modSeq: packedModSeq }, drift: count }
}

/** The header when what it leads to can be brought to `state`. */
export function usableHeader([modSeq, data]: PackedRow, state: MailboxState): PackedHeader | undefined {
  const header = findPackedHeader(data)
  const isUsable = modSeq <= state.modSeq && leadsFrom(modSeq, state)
  return isUsable && header?.uidValidity === state.uidValidity ? header : undefined
}

/**
 * From the packed form, as it was at `modSeq`: `find` gives what is in a chunk once somebody asks for one of its messages. `applyChanges` does the rest.
 * Undefined when the header contradicts itself.
 */
export function snapshotOfHeader(
  context: SnapshotContext,
  key: SnapshotKey,
  state: MailboxState,
  modSeq: number,
  header: PackedHeader,
  find: (chunk: number, uids: Uint32Array) => ChunkContent,
): SnapshotEntry | undefined {
  const isNow = modSeq === state.modSeq
  const list = isNow && header.count !== state.total ? undefined : unpackList(header, find)
  if (!list) return undefined
  // No more is known than that: UIDs behind the last message may have been given before.
  const before = isNow
    ? state
    : { ...state, modSeq: modSeq as MailboxState['modSeq'], uidNext: lastUidIn(header) + 1 }
  const snapshot = new LiveSnapshot(
    context,
    key,
    before,
    header.count,
    list,
    newHistory(modSeq),
    header.survey,
  )
  return { snapshot, packed: { modSeq, heads: header.heads }, drift: 0 }
}

/** The columns of `uids` from the rows that there are now; what is gone meanwhile is left empty. */
export function columnsOfRows(uids: Uint32Array, rows: readonly SnapshotRow[]): ChunkColumns {
  const columns = { ...makeColumns(uids.length), uids }
  let index = 0
  for (const row of rows) {
    while (index < uids.length && (uids[index] as number) < row[0]) index++
    if (uids[index] === row[0]) setRow(columns, index, row)
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
  return count > 0 ? uids.at(count - 1) : 0
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
  const { list, count: left } = leaveOut((draft ?? before).list, (draft ?? before).count, gone)
  const positions = list.positionsOf(changed, left)
  // A UID that was not there before and is not behind the last one: not what this store writes, so begin again.
  if (positions.includes(-1)) return undefined
  list.setFlags(positions, changed)
  list.append(left, added)
  const count = left + added.length
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
  return { snapshot: new LiveSnapshot(context, before, state, count, list, history), packed, drift }
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
  entry: SnapshotEntry,
  state: SnapshotState,
  masks: readonly MaskRow[],
): SnapshotEntry | undefined {
  const work = layMasks(context, entry, state, masks)
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** The same bit by bit, while others run: they may see some of the new flags before the rest. The entry must not be brought up to date meanwhile. */
export async function applyMasksSlowly(
  context: SnapshotContext,
  entry: SnapshotEntry,
  state: SnapshotState,
  masks: readonly MaskRow[],
): Promise<SnapshotEntry | undefined> {
  const work = layMasks(context, entry, state, masks)
  for (let from = performance.now(); ; ) {
    const step = work.next()
    if (step.done === true) return step.value
    // To unpack a chunk takes a hundred times as long as to change one message in one that is known.
    if (performance.now() - from < limits.store.masksMs) continue
    await new Promise(setImmediate)
    from = performance.now()
  }
}

/** How many messages the masks are laid over. */
export function maskedCount({ snapshot: { list, count } }: SnapshotEntry, masks: readonly MaskRow[]): number {
  let masked = 0
  for (const [, first, last] of masks)
    masked += list.lowerBound(last + 1, count) - list.lowerBound(first, count)
  return masked
}

/** Pauses after each chunk. Nothing is changed before all of them have been looked at. */
function* layMasks(
  context: SnapshotContext,
  entry: SnapshotEntry,
  state: SnapshotState,
  masks: readonly MaskRow[],
): Generator<void, SnapshotEntry | undefined> {
  const { snapshot } = entry
  const { list, count, history, modSeq: known } = snapshot
  for (const [, first, last, clears] of masks) {
    if (clears === null) return undefined
    for (const piece of piecesOf(list, count, first, last)) {
      if (isReadLater(piece, known)) return undefined
      yield
    }
  }
  let changed = 0
  for (const [modSeq, first, last, clears, adds] of masks) {
    const mask = { clears: clears ?? 0, adds: adds ?? 0 }
    for (const { chunk, from, to } of piecesOf(list, count, first, last)) {
      const { uids, flags } = chunk.columns
      for (let index = from; index < to; index++) {
        const before = flags[index] as number
        const after = applyMask(before, mask)
        if (after === before) continue
        chunk.setFlags(index, after, modSeq)
        history.changed.add(uids[index] as number, modSeq)
        changed++
      }
      yield
    }
  }
  const next = new LiveSnapshot(context, snapshot, state, count, list, history)
  // It may have been packed meanwhile.
  return { snapshot: next, packed: entry.packed, drift: entry.drift + changed }
}

/** The messages with UIDs from `first` to `last`. */
function piecesOf(list: MessageList, count: number, first: number, last: number): Iterable<Piece> {
  return list.pieces(list.lowerBound(first, count), list.lowerBound(last + 1, count))
}

/** Whether one of the messages has been read as it was after `modSeq`. */
function isReadLater({ chunk, from, to }: Piece, modSeq: number): boolean {
  // Read before it is asked about: it may be read as it is now.
  const { modSeqs } = chunk.columns
  if (chunk.summary(to).modSeq <= modSeq) return false
  for (let index = from; index < to; index++) if ((modSeqs[index] as number) > modSeq) return true
  return false
}

/** The rows that masks make of a snapshot's messages but for those that are `gone` after `goneUpTo`, in the order of `masks`. Undefined as with `applyMasks`. */
export function changedByMasks(
  { snapshot, draft }: SnapshotEntry,
  masks: readonly MaskRow[],
  gone: readonly GoneRow[],
): readonly ChangedRow[] | undefined {
  if (masks.length === 0) return []
  const { list, count } = draft ?? snapshot
  const { modSeq } = snapshot
  for (const [, first, last, clears] of masks) {
    if (clears === null) return undefined
    for (const piece of piecesOf(list, count, first, last)) if (isReadLater(piece, modSeq)) return undefined
  }
  const isGone = new Set(gone.map(([uid]) => uid))
  const changed: ChangedRow[] = []
  /** The flags of what has been changed, by UID, where more follows. */
  const flagsNow = masks.length > 1 ? new Map<number, number>() : undefined
  for (const [modSeq, first, last, clears, adds] of masks) {
    const mask = { clears: clears ?? 0, adds: adds ?? 0 }
    for (const { chunk, from, to } of piecesOf(list, count, first, last)) {
      const { uids, flags } = chunk.columns
      for (let index = from; index < to; index++) {
        const uid = uids[index] as number
        const before = flagsNow?.get(uid) ?? (flags[index] as number)
        const after = applyMask(before, mask)
        if (after === before || isGone.has(uid)) continue
        flagsNow?.set(uid, after)
        changed.push([uid, after, modSeq])
      }
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
