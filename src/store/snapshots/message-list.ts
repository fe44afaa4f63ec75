// The messages of a mailbox in the order of UIDs, in chunks, for states that differ by what has come: an expunge makes another list, which shares the chunks
// where nothing has gone. So a change costs what has changed, however large the mailbox is.
//
// Invariants:
// - A state has a list and a count. Positions below the count keep their UIDs; what comes goes behind, where an older state does not look.
// - Two neighbouring chunks of which one was made by an expunge are more than half full together, so that chunks do not become many.
import type { Awaitable } from '../../base/awaitable.ts'
import { type Breathe, inStretches } from '../../base/breathe.ts'
import { lowerBound } from '../../base/lower-bound.ts'
import type { EmailColumn, SnapshotColumn, UidColumn } from '../mailbox-snapshot.ts'
import {
  type ColumnName,
  copyRows,
  gather,
  makeColumns,
  MessageChunk,
  messagesPerChunk,
  type SnapshotRow,
} from './message-chunk.ts'

/** A chunk with the messages that it has. */
export interface CountedChunk {
  readonly chunk: MessageChunk
  readonly count: number
}

/** Messages of one chunk: those with indexes from `from` up to `to`, the first of which is at `position`. */
export interface Piece {
  readonly chunk: MessageChunk
  readonly from: number
  readonly to: number
  readonly position: number
}

export class MessageList {
  readonly uids = new ListedUids(this)
  readonly flags = new ListedColumn(this, 'flags')
  readonly modSeqs = new ListedColumn(this, 'modSeqs')
  readonly sizes = new ListedColumn(this, 'sizes')
  readonly receivedAts = new ListedColumn(this, 'receivedAts')
  readonly savedAts = new ListedColumn(this, 'savedAts')
  readonly emails = new ListedEmails(this)
  readonly #chunks: MessageChunk[] = []
  /** The position of the first message of each chunk. */
  readonly #starts: number[] = []
  // Where a UID was looked for last: the next one is often near.
  #near = -1
  #nearFirst = Infinity
  /** The first UID of the chunk behind it. */
  #nearNext = Infinity

  constructor(chunks: readonly CountedChunk[] = []) {
    let position = 0
    for (const { chunk, count } of chunks) {
      this.#chunks.push(chunk)
      this.#starts.push(position)
      position += count
    }
  }

  /** The number of the chunk in which a position lies, or would lie behind the last message; -1 where there is none. */
  chunkAt(position: number): number {
    return lowerBound(this.#starts, position + 1, 0, this.#starts.length) - 1
  }

  chunk(number: number): MessageChunk | undefined {
    return this.#chunks[number]
  }

  /** The position at which a chunk begins; Infinity behind the last. */
  start(number: number): number {
    return this.#starts[number] ?? Infinity
  }

  /** The messages from one position up to another, as they lie. */
  *pieces(from: number, to: number): Generator<Piece> {
    for (let number = this.chunkAt(from), position = from; position < to; number++) {
      const start = this.start(number)
      const end = Math.min(this.start(number + 1), to)
      yield { chunk: this.chunk(number) as MessageChunk, from: position - start, to: end - start, position }
      position = end
    }
  }

  /** The first position below `count` whose UID is not below `uid`; `count` when there is none. */
  lowerBound(uid: number, count: number): number {
    if (!(uid > this.#nearFirst && uid <= this.#nearNext)) this.#goNear(uid)
    const chunk = this.chunk(this.#near)
    const start = this.#starts[this.#near]
    if (!chunk || start === undefined) return 0
    // All that are below `count` may lie before it.
    if (start >= count) return count
    return start + lowerBound(chunk.columns.uids, uid, 1, Math.min(this.start(this.#near + 1), count) - start)
  }

  /** Finds the last chunk that begins below a UID. */
  #goNear(uid: number): void {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.chunk(middle) as MessageChunk).firstUid < uid) low = middle + 1
      else high = middle
    }
    this.#near = low - 1
    this.#nearFirst = this.chunk(low - 1)?.firstUid ?? 0
    this.#nearNext = this.chunk(low)?.firstUid ?? Infinity
  }

  /** The position of a UID below `count`, or -1. */
  find(uid: number, count: number): number {
    const position = this.lowerBound(uid, count)
    return position < count && this.uids.at(position) === uid ? position : -1
  }

  /**
   * The position below `count` of each row's UID, -1 where it is not there. It is looked for behind that of the row before: what changes together most often
   * lies together.
   */
  positionsOf(rows: readonly (readonly [uid: number, ...unknown[]])[], count: number): number[] {
    const positions: number[] = []
    let uids: Uint32Array = nothing
    let start = 0
    let end = 0
    let next = 0
    for (const [uid] of rows) {
      let position = next
      if (next >= end || uids[next - start] !== uid) {
        position = this.lowerBound(uid, count)
        if (position < start || position >= end) {
          const number = this.chunkAt(position)
          uids = this.chunk(number)?.columns.uids ?? nothing
          start = this.#starts[number] ?? 0
          end = Math.min(this.start(number + 1), count)
        }
        if (position >= count || uids[position - start] !== uid) position = -1
      }
      positions.push(position)
      if (position >= 0) next = position + 1
    }
    return positions
  }

  /** Puts messages behind the first `count`, in place of those that only states which were given up have there. */
  append(count: number, rows: readonly SnapshotRow[]): void {
    if (rows.length === 0) return
    // What those states have in chunks of their own goes.
    const used = this.chunkAt(count - 1) + 1
    this.#chunks.length = used
    this.#starts.length = used
    this.#forgetPlaces()
    for (let from = 0; from < rows.length; ) from += this.#appendSome(count + from, rows, from)
  }

  /** Those from `from` on that one chunk has room for; gives how many they are. */
  #appendSome(position: number, rows: readonly SnapshotRow[], from: number): number {
    let number = this.chunkAt(position)
    let index = number < 0 ? messagesPerChunk : position - (this.#starts[number] as number)
    if (index >= messagesPerChunk) {
      const capacity = this.#chunks.length === 0 ? roomFor(rows.length) : messagesPerChunk
      this.#chunks.push(new MessageChunk(makeColumns(capacity)))
      this.#starts.push(position)
      number++
      index = 0
    }
    const some = Math.min(rows.length - from, messagesPerChunk - index)
    const chunk = this.#withRoom(number, index, index + some)
    for (let at = 0; at < some; at++) chunk.setRow(index + at, rows[from + at] as SnapshotRow)
    return some
  }

  /** A chunk with room for `count` messages, which has the first `used` of before. */
  #withRoom(number: number, used: number, count: number): MessageChunk {
    const chunk = this.chunk(number) as MessageChunk
    if (count <= chunk.columns.uids.length) return chunk
    const columns = makeColumns(roomFor(count))
    copyRows(chunk.columns, 0, used, columns, 0)
    const larger = new MessageChunk(columns)
    this.#chunks[number] = larger
    return larger
  }

  /** Chunks have become others, or have other arrays. */
  #forgetPlaces(): void {
    this.#nearFirst = Infinity
    const { uids, flags, modSeqs, sizes, receivedAts, savedAts, emails } = this
    for (const column of [uids, flags, modSeqs, sizes, receivedAts, savedAts, emails]) column.forget()
  }

  /** Gives the messages at `positions`, one for each row, the row's flags and modSeq. */
  setFlags(
    positions: readonly number[],
    rows: readonly (readonly [uid: number, flags: number, modSeq: number])[],
  ): void {
    let chunk: MessageChunk | undefined
    let start = 0
    let end = 0
    for (const [at, position] of positions.entries()) {
      if (position < start || position >= end) {
        const number = this.chunkAt(position)
        chunk = this.chunk(number)
        start = this.#starts[number] ?? 0
        end = this.start(number + 1)
      }
      const [, flags, modSeq] = rows[at] as (typeof rows)[number]
      chunk?.setFlags(position - start, flags, modSeq)
    }
  }

  /** The first `count` messages but for those at the positions given, which ascend. */
  without(count: number, gone: readonly number[]): MessageList {
    const left: CountedChunk[] = []
    let isLastNew = false
    let at = 0
    for (const { chunk, to, position } of this.pieces(0, count)) {
      const first = at
      while (at < gone.length && (gone[at] as number) < position + to) at++
      const isNew = at > first
      if (at - first === to) continue
      const next = isNew ? chunkWithout(chunk, to, gone.slice(first, at), position) : { chunk, count: to }
      const last = left.at(-1)
      const isJoined: boolean =
        last !== undefined && (isNew || isLastNew) && last.count + next.count <= messagesPerChunk / 2
      if (last && isJoined) left[left.length - 1] = join(last, next)
      else left.push(next)
      isLastNew = isNew || isJoined
    }
    return new MessageList(left)
  }
}

/** Room for what comes next, so that most of it needs no new arrays. */
export function roomFor(count: number): number {
  return Math.min(count + Math.max(64, count >>> 2), messagesPerChunk)
}

/** The first `count` messages of a chunk, which begins at `start`, but for those at the positions given. */
function chunkWithout(
  { columns }: MessageChunk,
  count: number,
  gone: readonly number[],
  start: number,
): CountedChunk {
  const left = count - gone.length
  const kept = makeColumns(left)
  if (runsOf(gone) * manyRuns > count) gather(columns, indexesWithout(count, gone, start), kept)
  else {
    let from = 0
    let to = 0
    for (const position of [...gone, start + count]) {
      const index = position - start
      // Neighbours often go together.
      if (index > from) copyRows(columns, from, index, kept, to)
      to += index - from
      from = index + 1
    }
  }
  return { chunk: new MessageChunk(kept), count: left }
}

/** How many runs of neighbours the positions are. */
function runsOf(positions: readonly number[]): number {
  let runs = 0
  for (let at = 0; at < positions.length; at++)
    if ((positions[at] as number) - 1 !== positions[at - 1]) runs++
  return runs
}

/** Where one run of so many messages goes, those in between are copied one by one sooner than as runs. */
const manyRuns = 32

/** The indexes below `count` but for those that, with `start`, are among `gone`. */
function indexesWithout(count: number, gone: readonly number[], start: number): Uint32Array {
  const indexes = new Uint32Array(count - gone.length)
  let left = 0
  let next = 0
  for (let index = 0; index < count; index++) {
    if (gone[next] === start + index) next++
    else indexes[left++] = index
  }
  return indexes
}

function join(one: CountedChunk, other: CountedChunk): CountedChunk {
  const count = one.count + other.count
  const columns = makeColumns(count)
  copyRows(one.chunk.columns, 0, one.count, columns, 0)
  copyRows(other.chunk.columns, 0, other.count, columns, one.count)
  return { chunk: new MessageChunk(columns), count }
}

const nothing = new Uint32Array(0)

/** Remembers where it was read last: most are read in their order. */
class ListedColumn implements SnapshotColumn {
  readonly #list: MessageList
  readonly #name: ColumnName
  #values: Uint32Array | Float64Array = nothing
  #start = 0
  #end = 0

  constructor(list: MessageList, name: ColumnName) {
    this.#list = list
    this.#name = name
  }

  at(position: number): number {
    if (!(position >= this.#start && position < this.#end)) this.#seek(position)
    return this.#values[position - this.#start] as number
  }

  copy(from: number, to: number, target: Uint32Array | Float64Array, at = 0): void {
    for (let position = from; position < to; ) {
      if (!(position >= this.#start && position < this.#end)) this.#seek(position)
      const end = Math.min(this.#end, to)
      target.set(this.#values.subarray(position - this.#start, end - this.#start), at + position - from)
      position = end
    }
  }

  /** The list has changed. */
  forget(): void {
    this.#end = 0
  }

  #seek(position: number): void {
    const number = this.#list.chunkAt(position)
    const chunk = this.#list.chunk(number)
    const start = this.#list.start(number)
    if (!chunk || !(position - start < chunk.columns.uids.length))
      throw new RangeError('no message at this position')
    this.#values = chunk.columns[this.#name]
    this.#start = start
    this.#end = Math.min(start + this.#values.length, this.#list.start(number + 1))
  }
}

/** All values of a column that never change: given up when memory is collected and nobody uses them. New memory for each who asks costs more than to fill it. */
class Whole<Values extends Uint32Array | Float64Array> {
  #all: WeakRef<Values> | undefined

  /** Undefined when it has to be made. */
  upTo(count: number): Values | undefined {
    const all = this.#all?.deref()
    return all && all.length >= count ? (all.subarray(0, count) as Values) : undefined
  }

  keep(all: Values): Values {
    this.#all = new WeakRef(all)
    return all
  }
}

class ListedEmails extends ListedColumn implements EmailColumn {
  readonly #whole = new Whole<Float64Array>()

  constructor(list: MessageList) {
    super(list, 'emails')
  }

  upTo(count: number, breathe: Breathe): Awaitable<Float64Array> {
    return this.#whole.upTo(count) ?? this.#read(count, breathe)
  }

  async #read(count: number, breathe: Breathe): Promise<Float64Array> {
    const all = new Float64Array(count)
    await inStretches(count, breathe, (from, to) => this.copy(from, to, all, from))
    return this.#whole.keep(all)
  }
}

class ListedUids extends ListedColumn implements UidColumn {
  readonly #of: MessageList
  readonly #whole = new Whole<Uint32Array>()

  constructor(list: MessageList) {
    super(list, 'uids')
    this.#of = list
  }

  upTo(count: number): Uint32Array {
    const known = this.#whole.upTo(count)
    if (known) return known
    const all = new Uint32Array(count)
    this.copy(0, count, all)
    return this.#whole.keep(all)
  }

  lowerBound(uid: number, count: number): number {
    return this.#of.lowerBound(uid, count)
  }
}
