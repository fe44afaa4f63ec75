// Snapshots as bytes: chunks of 1,024 messages (`packed-chunk.ts`), and a header that knows the UIDs, and of each chunk the checksum and a summary. A cache: what
// does not fit is dropped.
import { endianness } from 'node:os'
import { crc32 } from 'node:zlib'
import { limits } from '../../base/limits.ts'
import { systemMask } from '../flags.ts'
import { type ChunkSummary, MessageChunk, messagesPerChunk, summarize } from './message-chunk.ts'
import { type CountedChunk, MessageList } from './message-list.ts'
import { isPackedChunk, packMessages } from './packed-chunk.ts'
import { type ChunkContent, PackedColumns } from './packed-columns.ts'

/** Numbers lie as this machine keeps them; on a machine of the other kind the header does not match and the snapshot is made anew. */
const format = endianness() === 'LE' ? 7 : 8

/** What the header says: enough for SELECT, so that a chunk is read when somebody asks for one of its messages. */
export interface PackedHeader {
  readonly uidValidity: number
  readonly count: number
  readonly chunks: readonly ChunkHead[]
  /** First and last UID of each row of neighbours, ascending. */
  readonly uidRanges: Uint32Array
}

export interface ChunkHead {
  /** CRC-32. */
  readonly checksum: number
  readonly summary: ChunkSummary
}

export function packHeader({ uidValidity, count, chunks, uidRanges }: PackedHeader): Uint8Array {
  const heads = chunks.flatMap(({ checksum, summary: { firstUnseen, some, every, keywordSets, modSeq } }) => [
    checksum,
    firstUnseen + 1,
    some | (every << everyShift),
    Math.floor(modSeq / 2 ** 32),
    modSeq % 2 ** 32,
    keywordSets.length,
    ...keywordSets,
  ])
  const words = Uint32Array.from([format, uidValidity, count, ...heads])
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
  const [, uidValidity = 0, count = 0] = words
  const chunks: ChunkHead[] = []
  let at = fixedWords
  for (let left = Math.ceil(count / messagesPerChunk); left > 0; left--) {
    const [checksum, firstUnseenNumber, bits, high, low, setCount] = words.subarray(at, at + headWords)
    if (setCount === undefined) return undefined
    const setsAt = at + headWords
    at = setsAt + setCount
    const summary = {
      firstUnseen: (firstUnseenNumber as number) - 1,
      some: (bits as number) & systemMask,
      every: (bits as number) >>> everyShift,
      keywordSets: setCount === 0 ? noSets : [...words.subarray(setsAt, at)],
      modSeq: (high as number) * 2 ** 32 + (low as number),
    }
    chunks.push({ checksum: checksum as number, summary })
  }
  if (at >= words.length) return undefined
  return { uidValidity, count, chunks, uidRanges: words.subarray(at, -1) }
}

const fixedWords = 3
/** Words of a chunk, before its keyword sets. */
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

/** Where the UIDs of each chunk begin. */
interface UidPlace {
  readonly uid: number
  /** The index of the end of the range that it is in. */
  readonly rangeEnd: number
}

/** Undefined when the header's UIDs do not ascend, or are not as many as it says. */
function placesOf({ count, uidRanges }: PackedHeader): readonly UidPlace[] | undefined {
  if (uidRanges.length % 2 !== 0) return undefined
  const places: UidPlace[] = []
  let before = 0
  let uids = 0
  for (let rangeEnd = 1; rangeEnd < uidRanges.length; rangeEnd += 2) {
    const first = uidRanges[rangeEnd - 1] as number
    const last = uidRanges[rangeEnd] as number
    if (first <= before || last < first) return undefined
    const end = uids + last - first + 1
    for (let start = places.length * messagesPerChunk; start < end; start += messagesPerChunk)
      places.push({ uid: first + start - uids, rangeEnd })
    before = last
    uids = end
  }
  return uids === count ? places : undefined
}

function unpackUids(uidRanges: Uint32Array, { uid, rangeEnd }: UidPlace, count: number): Uint32Array {
  const uids = new Uint32Array(count)
  let next = uid
  let end = rangeEnd
  for (let at = 0; at < count; at++) {
    if (next > (uidRanges[end] as number)) {
      end += 2
      next = uidRanges[end - 1] as number
    }
    uids[at] = next++
  }
  return uids
}

/**
 * The messages that the header says; undefined when it contradicts itself. `find` gives what is in a chunk (by its number from 0) with the UIDs given, once
 * somebody asks for one of its messages.
 */
export function unpackList(
  header: PackedHeader,
  find: (chunk: number, uids: Uint32Array) => ChunkContent,
): MessageList | undefined {
  const places = placesOf(header)
  if (!places) return undefined
  const { chunks, uidRanges } = header
  return new MessageList(
    places.map((place, number): CountedChunk => {
      const count = messagesIn(header, number)
      const columns = new PackedColumns(
        count,
        () => unpackUids(uidRanges, place, count),
        uids => {
          const content = find(number, uids)
          if (!(content instanceof Uint8Array)) chunk.forgetSummary()
          return content
        },
      )
      const { summary } = chunks[number] as ChunkHead
      const chunk = new MessageChunk(columns, { count, firstUid: place.uid, summary })
      return { chunk, count }
    }),
  )
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

/** All of a snapshot at once: what its header says, and its chunks. */
export function packWhole({
  uidValidity,
  count,
  list,
}: Pick<PackedHeader, 'uidValidity' | 'count'> & { readonly list: MessageList }): {
  readonly header: PackedHeader
  readonly chunks: readonly Uint8Array[]
} {
  const packed = Array.from({ length: Math.ceil(count / messagesPerChunk) }, (_unused, chunk) =>
    packChunk(list, chunk, count),
  )
  const uidRanges = packUids(list.uids.upTo(count), count)
  const header = { uidValidity, count, chunks: packed.map(({ head }) => head), uidRanges }
  return { header, chunks: packed.map(({ data }) => data) }
}

/** The chunk in memory of its own, where numbers can be read as they lie; undefined when it is not what the header says. */
export function soundChunk(
  header: PackedHeader,
  chunk: number,
  bytes: Uint8Array | undefined,
): Uint8Array | undefined {
  if (!bytes || crc32(bytes) !== header.chunks[chunk]?.checksum) return undefined
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
  return isPackedChunk(own, messagesIn(header, chunk)) ? own : undefined
}

/** The same of all chunks of a mailbox, while others run in between. */
export async function soundChunks(
  header: PackedHeader,
  chunks: readonly Uint8Array[],
): Promise<readonly Uint8Array[] | undefined> {
  if (chunks.length !== header.chunks.length) return undefined
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
