// Snapshots as bytes: chunks of 1,024 messages (`packed-chunk.ts`), and a header that knows the UIDs, and of each chunk the checksum and a summary. A cache: what
// does not fit is dropped.
import { endianness } from 'node:os'
import { crc32 } from 'node:zlib'
import { limits } from '../../base/limits.ts'
import { lowerBound } from '../../base/lower-bound.ts'
import { systemMask } from '../flags.ts'
import type { Survey } from './live-snapshot.ts'
import {
  type ChunkColumns,
  type ChunkSource,
  type ChunkSummary,
  MessageChunk,
  messagesPerChunk,
  summarize,
} from './message-chunk.ts'
import { MessageList } from './message-list.ts'
import { isPackedChunk, packMessages } from './packed-chunk.ts'
import { type ChunkContent, PackedColumns } from './packed-columns.ts'

/** Numbers lie as this machine keeps them; on a machine of the other kind the header does not match and the snapshot is made anew. */
const format = endianness() === 'LE' ? 7 : 8

/** What the header says: enough for SELECT, so that a chunk is read when somebody asks for one of its messages. */
export interface PackedHeader {
  readonly uidValidity: number
  readonly count: number
  readonly survey: Survey
  readonly heads: ChunkHeads
  /** First and last UID of each row of neighbours, ascending. */
  readonly uidRanges: Uint32Array
}

/** What the header says of a chunk. */
export interface ChunkHead {
  /** CRC-32. */
  readonly checksum: number
  readonly summary: ChunkSummary
}

/** The heads of all chunks, as they lie: most are not asked for. */
export class ChunkHeads {
  /** How many there are. */
  readonly count: number
  readonly #words: Uint32Array

  /** The heads, and behind them the keyword sets of all. */
  constructor(count: number, words: Uint32Array) {
    this.count = count
    this.#words = words
  }

  checksum(chunk: number): number | undefined {
    return chunk < this.count ? this.#words[chunk * headWords] : undefined
  }

  summary(chunk: number): ChunkSummary {
    const words = this.#words
    const at = chunk * headWords
    const bits = words[at + 2] as number
    return {
      firstUnseen: (words[at + 1] as number) - 1,
      some: bits & systemMask,
      every: bits >>> everyShift,
      modSeq: (words[at + 3] as number) * 2 ** 32 + (words[at + 4] as number),
      keywordSets: this.#setsOf(chunk),
    }
  }

  #setsOf(chunk: number): readonly number[] {
    const setsAt = this.count * headWords
    const first = chunk === 0 ? 0 : setsEnd(this.#words, chunk - 1)
    const last = setsEnd(this.#words, chunk)
    return last === first ? noSets : [...this.#words.subarray(setsAt + first, setsAt + last)]
  }
}

/** Where the keyword sets of a chunk end among those of all. */
function setsEnd(words: Uint32Array, chunk: number): number {
  return words[chunk * headWords + headWords - 1] as number
}

/** What `findPackedHeader` reads. */
export function packHeader({
  uidValidity,
  count,
  survey,
  heads,
  uidRanges,
}: Omit<PackedHeader, 'heads'> & { readonly heads: readonly ChunkHead[] }): Uint8Array {
  let sets = 0
  const headsWords = heads.flatMap(
    ({ checksum, summary: { firstUnseen, some, every, modSeq, keywordSets } }) => [
      checksum,
      firstUnseen + 1,
      some | (every << everyShift),
      Math.floor(modSeq / 2 ** 32),
      modSeq % 2 ** 32,
      (sets += keywordSets.length),
    ],
  )
  const words = Uint32Array.from([
    format,
    uidValidity,
    count,
    survey.firstUnseen + 1,
    survey.keywordSets.length,
    ...survey.keywordSets,
    ...headsWords,
    ...heads.flatMap(({ summary }) => summary.keywordSets),
  ])
  const bytes = new Uint8Array(words.byteLength + uidRanges.length * 4 + 4)
  bytes.set(new Uint8Array(words.buffer))
  new Uint32Array(bytes.buffer, words.byteLength, uidRanges.length).set(uidRanges)
  new Uint32Array(bytes.buffer, bytes.length - 4, 1)[0] = crc32(bytes.subarray(0, -4))
  return bytes
}

/** Undefined when it is damaged or of another format. */
export function findPackedHeader(bytes: Uint8Array): PackedHeader | undefined {
  if (bytes.byteLength < fixedWords * 4 + 4 || bytes.byteLength % 4 !== 0) return undefined
  const words = new Uint32Array(new Uint8Array(bytes).buffer)
  if (words[0] !== format || crc32(bytes.subarray(0, -4)) !== words[words.length - 1]) return undefined
  const count = words[2] as number
  const headsAt = fixedWords + (words[4] as number)
  const chunkCount = Math.ceil(count / messagesPerChunk)
  const setsAt = headsAt + chunkCount * headWords
  const rangesAt = chunkCount === 0 ? setsAt : setsAt + (words[setsAt - 1] ?? Infinity)
  if (rangesAt >= words.length) return undefined
  return {
    uidValidity: words[1] as number,
    count,
    survey: {
      firstUnseen: (words[3] as number) - 1,
      keywordSets: [...words.subarray(fixedWords, headsAt)],
    },
    heads: new ChunkHeads(chunkCount, words.subarray(headsAt, rangesAt)),
    uidRanges: words.subarray(rangesAt, -1),
  }
}

const fixedWords = 5
/** Words of a chunk's head, the last of which is where its keyword sets end. */
const headWords = 6
/** Bits of system flags, which `some` takes below `every`. */
const everyShift = 8
const noSets: readonly number[] = []

/** The UIDs as ranges, for the header. */
export function packUids(uids: Uint32Array, count: number): Uint32Array {
  let bounds = count > 0 ? 2 : 0
  for (let at = 1; at < count; at++) if (uids[at] !== (uids[at - 1] as number) + 1) bounds += 2
  const ranges = new Uint32Array(bounds)
  let end = -1
  for (let at = 0; at < count; at++) {
    const uid = uids[at] as number
    if (at === 0 || uid !== (uids[at - 1] as number) + 1) {
      end += 2
      ranges[end - 1] = uid
    }
    ranges[end] = uid
  }
  return ranges
}

/** The largest UID, 0 where there is none. */
export function lastUidIn({ uidRanges }: PackedHeader): number {
  return uidRanges[uidRanges.length - 1] ?? 0
}

/** Whether the header's UIDs ascend and are as many as it says. */
function isSound({ count, uidRanges }: PackedHeader): boolean {
  if (uidRanges.length % 2 !== 0) return false
  let before = 0
  let uids = 0
  for (let index = 0; index < uidRanges.length; index += 2) {
    const first = uidRanges[index] as number
    const last = uidRanges[index + 1] as number
    if (first <= before || last < first) return false
    before = last
    uids += last - first + 1
  }
  return uids === count
}

/** UIDs by position, from the ranges of a sound header. */
class RangedUids {
  readonly #ranges: Uint32Array
  /** The position of the first UID of each range. */
  readonly #starts: Uint32Array

  constructor(ranges: Uint32Array) {
    this.#ranges = ranges
    this.#starts = new Uint32Array(ranges.length / 2)
    let position = 0
    for (let range = 0; range < this.#starts.length; range++) {
      this.#starts[range] = position
      position += (ranges[2 * range + 1] as number) - (ranges[2 * range] as number) + 1
    }
  }

  at(position: number): number {
    return this.#uidIn(this.#rangeAt(position), position)
  }

  /** `count` UIDs from a position on. */
  from(position: number, count: number): Uint32Array {
    const uids = new Uint32Array(count)
    let range = this.#rangeAt(position)
    let uid = this.#uidIn(range, position)
    for (let at = 0; at < count; at++) {
      if (uid > (this.#ranges[2 * range + 1] as number)) uid = this.#ranges[2 * ++range] as number
      uids[at] = uid++
    }
    return uids
  }

  #rangeAt(position: number): number {
    return lowerBound(this.#starts, position + 1, 0, this.#starts.length) - 1
  }

  #uidIn(range: number, position: number): number {
    return (this.#ranges[2 * range] as number) + position - (this.#starts[range] as number)
  }
}

/**
 * The messages that the header says; undefined when it contradicts itself. `find` gives what is in a chunk (by its number from 0) with the UIDs given, once
 * somebody asks for one of its messages.
 */
export function unpackList(
  header: PackedHeader,
  find: (chunk: number, uids: Uint32Array) => ChunkContent,
): MessageList | undefined {
  if (!isSound(header)) return undefined
  const source = new PackedSource(header, find)
  return new MessageList(
    Array.from({ length: header.heads.count }, (_unused, number) => ({
      chunk: new MessageChunk(undefined, source, number),
      count: messagesIn(header, number),
    })),
  )
}

class PackedSource implements ChunkSource {
  readonly #header: PackedHeader
  readonly #find: (chunk: number, uids: Uint32Array) => ChunkContent
  #uids: RangedUids | undefined

  constructor(header: PackedHeader, find: (chunk: number, uids: Uint32Array) => ChunkContent) {
    this.#header = header
    this.#find = find
  }

  columns(number: number, chunk: MessageChunk): ChunkColumns {
    const count = messagesIn(this.#header, number)
    return new PackedColumns(
      count,
      () => this.#ranged.from(number * messagesPerChunk, count),
      uids => {
        const content = this.#find(number, uids)
        if (!(content instanceof Uint8Array)) chunk.forgetSummary()
        return content
      },
    )
  }

  firstUid(number: number): number {
    return this.#ranged.at(number * messagesPerChunk)
  }

  summary(number: number): ChunkSummary {
    return this.#header.heads.summary(number)
  }

  get #ranged(): RangedUids {
    return (this.#uids ??= new RangedUids(this.#header.uidRanges))
  }
}

/** The chunk's messages as bytes, in an allocation of its own, and what the header is to say of it. */
export function packChunk(
  list: MessageList,
  chunk: number,
  count: number,
): { readonly data: Uint8Array; readonly head: ChunkHead } {
  const start = chunk * messagesPerChunk
  const end = Math.min(start + messagesPerChunk, count)
  const data = packMessages(list, start, end)
  const flags = new Uint32Array(end - start)
  const modSeqs = new Float64Array(end - start)
  list.flags.copy(start, end, flags)
  list.modSeqs.copy(start, end, modSeqs)
  return { data, head: { checksum: crc32(data), summary: summarize({ flags, modSeqs }, end - start) } }
}

/** All of a snapshot at once: the header, and its chunks. */
export function packWhole({
  uidValidity,
  count,
  survey,
  list,
}: Pick<PackedHeader, 'uidValidity' | 'count' | 'survey'> & { readonly list: MessageList }): {
  readonly header: Uint8Array
  readonly chunks: readonly Uint8Array[]
} {
  const packed = Array.from({ length: Math.ceil(count / messagesPerChunk) }, (_unused, chunk) =>
    packChunk(list, chunk, count),
  )
  const heads = packed.map(({ head }) => head)
  const uidRanges = packUids(list.uids.upTo(count), count)
  return {
    header: packHeader({ uidValidity, count, survey, heads, uidRanges }),
    chunks: packed.map(({ data }) => data),
  }
}

/** The chunk in memory of its own, where numbers can be read as they lie; undefined when it is not what the header says. */
export function soundChunk(
  header: PackedHeader,
  chunk: number,
  bytes: Uint8Array | undefined,
): Uint8Array | undefined {
  if (!bytes || crc32(bytes) !== header.heads.checksum(chunk)) return undefined
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
  return isPackedChunk(own, messagesIn(header, chunk)) ? own : undefined
}

/** The same of all chunks of a mailbox, while others run in between. */
export async function soundChunks(
  header: PackedHeader,
  chunks: readonly Uint8Array[],
): Promise<readonly Uint8Array[] | undefined> {
  if (chunks.length !== header.heads.count) return undefined
  const sound: Uint8Array[] = []
  for (const [number, bytes] of chunks.entries()) {
    const found = soundChunk(header, number, bytes)
    if (!found) return undefined
    sound.push(found)
    if (number % limits.store.chunksAtOnce === limits.store.chunksAtOnce - 1) await new Promise(setImmediate)
  }
  return sound
}

function messagesIn({ count }: PackedHeader, chunk: number): number {
  return Math.min(messagesPerChunk, count - chunk * messagesPerChunk)
}
