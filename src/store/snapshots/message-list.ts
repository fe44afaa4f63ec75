// The messages of a mailbox in the order of UIDs, in chunks, for states that differ by what has come: an expunge makes another list, which shares the chunks
// where nothing has gone. So a change costs what has changed, however large the mailbox is.
//
// Invariants:
// - A state has a list and a count. Positions below the count keep their UIDs; what comes goes behind, where an older state does not look.
// - Two neighbouring chunks of which one was made by an expunge are more than half full together, so that chunks do not become many.
import { lowerBound } from '../../base/lower-bound.ts'
import type { SnapshotColumn, UidColumn } from '../mailbox-snapshot.ts'
import {
  type ColumnName,
  copyRows,
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
  readonly uids: UidColumn = new ListedUids(this)
  readonly flags: SnapshotColumn = new ListedColumn(this, 'flags')
  readonly modSeqs: SnapshotColumn = new ListedColumn(this, 'modSeqs')
  readonly sizes: SnapshotColumn = new ListedColumn(this, 'sizes')
  readonly receivedAts: SnapshotColumn = new ListedColumn(this, 'receivedAts')
  readonly savedAts: SnapshotColumn = new ListedColumn(this, 'savedAts')
  readonly emails: SnapshotColumn = new ListedColumn(this, 'emails')
  readonly #chunks: (MessageChunk | undefined)[] = []
  /** The position of the first message of each chunk. */
  readonly #starts: number[] = []
  #make: ((number: number) => MessageChunk) | undefined
  /** Which arrays there are: they become others where a chunk has no room. */
  #edition = 0

  constructor(chunks: readonly CountedChunk[] = []) {
    let position = 0
    for (const { chunk, count } of chunks) {
      this.#chunks.push(chunk)
      this.#starts.push(position)
      position += count
    }
  }

  /** Chunks that are all full but for the last, each of which `make` gives when somebody asks for it. */
  static unmade(chunkCount: number, make: (number: number) => MessageChunk): MessageList {
    const list = new MessageList()
    list.#make = make
    for (let number = 0; number < chunkCount; number++) {
      list.#chunks.push(undefined)
      list.#starts.push(number * messagesPerChunk)
    }
    return list
  }

  get edition(): number {
    return this.#edition
  }

  /** The number of the chunk in which a position lies, or would lie behind the last message; -1 where there is none. */
  chunkAt(position: number): number {
    return lowerBound(this.#starts, position + 1, 0, this.#starts.length) - 1
  }

  chunk(number: number): MessageChunk | undefined {
    const known = this.#chunks[number]
    if (known || !this.#make || number < 0 || number >= this.#chunks.length) return known
    const made = this.#make(number)
    this.#chunks[number] = made
    return made
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
    let low = 0
    let high = this.chunkAt(count - 1) + 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.chunk(middle) as MessageChunk).firstUid < uid) low = middle + 1
      else high = middle
    }
    const chunk = this.chunk(low - 1)
    if (!chunk) return 0
    const { uids } = chunk.columns
    const start = this.#starts[low - 1] as number
    return start + lowerBound(uids, uid, 1, Math.min(this.start(low), count) - start)
  }

  /** The position of a UID below `count`, or -1; it is looked for at `likely` first: what changes together most often lies together. */
  find(uid: number, count: number, likely: number): number {
    if (likely >= 0 && likely < count && this.uids.at(likely) === uid) return likely
    const position = this.lowerBound(uid, count)
    return position < count && this.uids.at(position) === uid ? position : -1
  }

  /** Puts a message behind the first `position`, in place of those that only states which were given up have there. */
  put(position: number, row: SnapshotRow): void {
    const number = this.chunkAt(position)
    const chunk = this.chunk(number)
    const index = chunk ? position - (this.#starts[number] as number) : messagesPerChunk
    if (!chunk || index >= messagesPerChunk) this.#push(position, row)
    else {
      const hasRoom = index < chunk.columns.uids.length
      const used = hasRoom ? chunk : withRoom(chunk, index)
      used.setRow(index, row)
      if (hasRoom) return
      this.#chunks[number] = used
      this.#edition++
    }
  }

  #push(position: number, row: SnapshotRow): void {
    const isFirst = this.#chunks.length === 0
    const chunk = new MessageChunk(makeColumns(isFirst ? roomFor(1) : messagesPerChunk))
    chunk.setRow(0, row)
    this.#chunks.push(chunk)
    this.#starts.push(position)
  }

  setFlags(position: number, flags: number, modSeq: number): void {
    const number = this.chunkAt(position)
    this.chunk(number)?.setFlags(position - this.start(number), flags, modSeq)
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

function withRoom({ columns }: MessageChunk, count: number): MessageChunk {
  const larger = makeColumns(roomFor(count + 1))
  copyRows(columns, 0, count, larger, 0)
  return new MessageChunk(larger)
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
  let from = 0
  let to = 0
  for (const position of [...gone, start + count]) {
    const index = position - start
    // Neighbours often go together.
    if (index > from) copyRows(columns, from, index, kept, to)
    to += index - from
    from = index + 1
  }
  return { chunk: new MessageChunk(kept), count: left }
}

function join(one: CountedChunk, other: CountedChunk): CountedChunk {
  const count = one.count + other.count
  const columns = makeColumns(count)
  copyRows(one.chunk.columns, 0, one.count, columns, 0)
  copyRows(other.chunk.columns, 0, other.count, columns, one.count)
  return { chunk: new MessageChunk(columns), count }
}

/** Remembers where it was read last: most are read in their order. */
class ListedColumn implements SnapshotColumn {
  readonly #list: MessageList
  readonly #name: ColumnName
  #values: Uint32Array | Float64Array = nothing
  #start = 0
  #end = 0
  #edition = 0

  constructor(list: MessageList, name: ColumnName) {
    this.#list = list
    this.#name = name
  }

  at(position: number): number {
    const isHere = position >= this.#start && position < this.#end && this.#edition === this.#list.edition
    if (!isHere) this.#seek(position)
    return this.#values[position - this.#start] as number
  }

  copy(from: number, to: number, target: Uint32Array | Float64Array, at = 0): void {
    for (const piece of this.#list.pieces(from, to)) {
      const values = piece.chunk.columns[this.#name]
      target.set(values.subarray(piece.from, piece.to), at + piece.position - from)
    }
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
    this.#edition = this.#list.edition
  }
}

class ListedUids extends ListedColumn implements UidColumn {
  readonly #of: MessageList
  #all = nothing

  constructor(list: MessageList) {
    super(list, 'uids')
    this.#of = list
  }

  lowerBound(uid: number, count: number): number {
    return this.#of.lowerBound(uid, count)
  }

  upTo(count: number): Uint32Array {
    if (this.#all.length < count) {
      const all = new Uint32Array(count)
      this.copy(0, count, all)
      this.#all = all
    }
    return this.#all.subarray(0, count)
  }
}

const nothing = new Uint32Array(0)
