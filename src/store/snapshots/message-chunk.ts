// Up to `messagesPerChunk` messages of a mailbox that follow one another. States of the mailbox share them.
//
// Invariant: UIDs of messages that somebody was told of never change; flags and modSeqs do, and whoever has an older state may see them.
import { keywordShift, seen, systemMask } from '../flags.ts'

/** Of all the messages of a chunk, and perhaps with room for more: all are of one length. */
export interface ChunkColumns {
  readonly uids: Uint32Array
  readonly flags: Uint32Array
  readonly modSeqs: Float64Array
  readonly sizes: Float64Array
  readonly receivedAts: Float64Array
  readonly savedAts: Float64Array
  readonly emails: Float64Array
}

export type ColumnName = keyof ChunkColumns

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

/** More are not kept together, in memory or packed: to go through one takes microseconds. */
export const messagesPerChunk = 1024

/** Bytes of one message in the arrays. */
export const bytesPerMessage = 48

/** What is told of the messages of a chunk at once. */
export interface ChunkSummary {
  /** The index of the first message without \Seen, -1 when there is none. */
  readonly firstUnseen: number
  /** The system flags that at least one has, and those that each one has. */
  readonly some: number
  readonly every: number
  /** The numbers of the keyword sets in use, but for the empty one. */
  readonly keywordSets: readonly number[]
  /** The highest there is. */
  readonly modSeq: number
}

/** Where the chunks of a list come from, by their numbers. */
export interface ChunkSource {
  /** What is in `chunk`; all are full. */
  columns(number: number, chunk: MessageChunk): ChunkColumns
  firstUid(number: number): number
  summary(number: number): ChunkSummary
}

export class MessageChunk {
  #columns: ChunkColumns | undefined
  readonly #source: ChunkSource | undefined
  readonly #number: number
  #summary: ChunkSummary | undefined
  /** The messages that the summary is of. */
  #summarized = 0
  /** Nothing has changed of what the source says. */
  #isAsItCame: boolean

  /** What is not given comes from `source`, once somebody asks for it. */
  constructor(columns: ChunkColumns | undefined, source?: ChunkSource, number = 0) {
    this.#columns = columns
    this.#source = source
    this.#number = number
    this.#isAsItCame = source !== undefined
  }

  get columns(): ChunkColumns {
    return (this.#columns ??= (this.#source as ChunkSource).columns(this.#number, this))
  }

  get firstUid(): number {
    return this.#source ? this.#source.firstUid(this.#number) : (this.columns.uids[0] as number)
  }

  /** Of the first `count` messages; where more were asked about before, those may have a part in it. */
  summary(count: number): ChunkSummary {
    if (!this.#summary || this.#summarized < count) {
      this.#summary =
        this.#source && this.#isAsItCame ? this.#source.summary(this.#number) : summarize(this.columns, count)
      this.#summarized = count
    }
    return this.#summary
  }

  /** It is not as the source says. */
  forgetSummary(): void {
    this.#isAsItCame = false
    this.#summary = undefined
  }

  setRow(index: number, row: SnapshotRow): void {
    setRow(this.columns, index, row)
    if (index < this.#summarized) this.forgetSummary()
  }

  setFlags(index: number, flags: number, modSeq: number): void {
    const { columns } = this
    columns.flags[index] = flags
    columns.modSeqs[index] = modSeq
    this.forgetSummary()
  }
}

/** Arrays that are all 0. */
export function makeColumns(capacity: number): ChunkColumns {
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

export function setRow(columns: ChunkColumns, index: number, row: SnapshotRow): void {
  columns.uids[index] = row[0]
  columns.flags[index] = row[1]
  columns.modSeqs[index] = row[2]
  columns.sizes[index] = row[3]
  columns.receivedAts[index] = row[4]
  columns.savedAts[index] = row[5]
  columns.emails[index] = row[6]
}

/** Copies `[start, end)` of `from` to `index` on. */
export function copyRows(
  from: ChunkColumns,
  start: number,
  end: number,
  to: ChunkColumns,
  index: number,
): void {
  to.uids.set(from.uids.subarray(start, end), index)
  to.flags.set(from.flags.subarray(start, end), index)
  to.modSeqs.set(from.modSeqs.subarray(start, end), index)
  to.sizes.set(from.sizes.subarray(start, end), index)
  to.receivedAts.set(from.receivedAts.subarray(start, end), index)
  to.savedAts.set(from.savedAts.subarray(start, end), index)
  to.emails.set(from.emails.subarray(start, end), index)
}

/** Copies the rows of `from` at `indexes`, in their order. */
export function gather(from: ChunkColumns, indexes: Uint32Array, to: ChunkColumns): void {
  gatherWords(from.uids, indexes, to.uids)
  gatherWords(from.flags, indexes, to.flags)
  gatherDoubles(from.modSeqs, indexes, to.modSeqs)
  gatherDoubles(from.sizes, indexes, to.sizes)
  gatherDoubles(from.receivedAts, indexes, to.receivedAts)
  gatherDoubles(from.savedAts, indexes, to.savedAts)
  gatherDoubles(from.emails, indexes, to.emails)
}

// Two, since a loop over arrays of one kind is several times as fast.
function gatherWords(from: Uint32Array, indexes: Uint32Array, to: Uint32Array): void {
  for (let at = 0; at < indexes.length; at++) to[at] = from[indexes[at] as number] as number
}

function gatherDoubles(from: Float64Array, indexes: Uint32Array, to: Float64Array): void {
  for (let at = 0; at < indexes.length; at++) to[at] = from[indexes[at] as number] as number
}

export function summarize(
  { flags, modSeqs }: Pick<ChunkColumns, 'flags' | 'modSeqs'>,
  count: number,
): ChunkSummary {
  let firstUnseen = -1
  let some = 0
  let every = systemMask
  let modSeq = 0
  let last = 0
  let keywordSets: Set<number> | undefined
  for (let index = 0; index < count; index++) {
    const value = flags[index] as number
    if (firstUnseen < 0 && (value & seen) === 0) firstUnseen = index
    some |= value
    every &= value
    if ((modSeqs[index] as number) > modSeq) modSeq = modSeqs[index] as number
    const set = value >>> keywordShift
    if (set === last) continue
    last = set
    if (set !== 0) (keywordSets ??= new Set()).add(set)
  }
  return {
    firstUnseen,
    some: some & systemMask,
    every,
    keywordSets: keywordSets ? [...keywordSets] : none,
    modSeq,
  }
}

const none: readonly number[] = []
