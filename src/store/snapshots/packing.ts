// Snapshots as bytes: chunks of 1,024 messages (`packed-chunk.ts`), and a header that knows the UIDs and the checksum of each chunk. A cache: what does not fit is dropped.
import { endianness } from 'node:os'
import { crc32 } from 'node:zlib'
import type { Awaitable } from '../../base/awaitable.ts'
import { limits } from '../../base/limits.ts'
import { makeColumnsSlowly, type SnapshotColumns } from './columns.ts'
import { isPackedChunk, messagesPerChunk, packedColumns, packMessages, unpackColumn } from './packed-chunk.ts'
import { PackedColumns } from './packed-columns.ts'

/** Numbers lie as this machine keeps them; on a machine of the other kind the header does not match and the snapshot is made anew. */
const format = endianness() === 'LE' ? 5 : 6

/** What the header says: enough for SELECT, so that the chunks are read when somebody asks for more. */
export interface PackedHeader {
  readonly uidValidity: number
  readonly count: number
  readonly survey: Survey
  /** CRC-32 of each chunk. */
  readonly checksums: readonly number[]
  /** First and last UID of each row of neighbours, ascending. */
  readonly uidRanges: Uint32Array
}

/** What is told of all messages at once. */
export interface Survey {
  /** The position of the first message without \Seen, -1 when there is none. */
  readonly firstUnseen: number
  /** The numbers of the keyword sets in use, but for the empty one. */
  readonly keywordSets: readonly number[]
}

export function packHeader({ uidValidity, count, survey, checksums, uidRanges }: PackedHeader): Uint8Array {
  const { firstUnseen, keywordSets } = survey
  const words = Uint32Array.from([
    format,
    uidValidity,
    count,
    firstUnseen + 1,
    keywordSets.length,
    ...keywordSets,
    ...checksums,
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
  const [, uidValidity = 0, count = 0, firstUnseenNumber = 0, setCount = 0] = words
  const checksumsAt = fixedWords + setCount
  const rangesAt = checksumsAt + Math.ceil(count / messagesPerChunk)
  if (rangesAt >= words.length) return undefined
  return {
    uidValidity,
    count,
    survey: {
      firstUnseen: firstUnseenNumber - 1,
      keywordSets: [...words.subarray(fixedWords, checksumsAt)],
    },
    checksums: [...words.subarray(checksumsAt, rangesAt)],
    uidRanges: words.subarray(rangesAt, -1),
  }
}

const fixedWords = 5

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

/** Whether the header's UIDs ascend and are as many as it says. */
export function isSound({ count, uidRanges }: PackedHeader): boolean {
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

/** The UIDs that a sound header says, with room for `spare` more. */
export function unpackUids({ count, uidRanges }: PackedHeader, spare: number): Uint32Array {
  const uids = new Uint32Array(count + spare)
  let at = 0
  for (let index = 0; index < uidRanges.length; index += 2)
    at = fillUids(uids, at, uidRanges[index] as number, uidRanges[index + 1] as number)
  return uids
}

/** The same of a large mailbox, while others run in between. */
export async function unpackUidsSlowly(
  { count, uidRanges }: PackedHeader,
  spare: number,
): Promise<Uint32Array> {
  const { messagesAtOnce } = limits.store
  const uids = new Uint32Array(count + spare)
  let at = 0
  let breathedAt = 0
  for (let index = 0; index < uidRanges.length; index += 2) {
    const last = uidRanges[index + 1] as number
    for (let first = uidRanges[index] as number; first <= last; first += messagesAtOnce) {
      at = fillUids(uids, at, first, Math.min(first + messagesAtOnce - 1, last))
      if (at - breathedAt < messagesAtOnce) continue
      breathedAt = at
      await new Promise(setImmediate)
    }
  }
  return uids
}

/** Puts neighbours at `at` and behind; gives where they end. */
function fillUids(uids: Uint32Array, at: number, first: number, last: number): number {
  for (let uid = first; uid <= last; uid++) uids[at++] = uid
  return at
}

/** The chunk's messages as bytes, in an allocation of its own. */
export function packChunk(columns: SnapshotColumns, chunk: number, count: number): Uint8Array {
  const start = chunk * messagesPerChunk
  return packMessages(columns, start, Math.min(start + messagesPerChunk, count))
}

/** All of a snapshot at once: what its header says, and its chunks. */
export function packWhole({
  uidValidity,
  count,
  survey,
  columns,
}: Pick<PackedHeader, 'uidValidity' | 'count' | 'survey'> & { readonly columns: SnapshotColumns }): {
  readonly header: PackedHeader
  readonly chunks: readonly Uint8Array[]
} {
  const chunks = Array.from({ length: Math.ceil(count / messagesPerChunk) }, (_unused, chunk) =>
    packChunk(columns, chunk, count),
  )
  const checksums = chunks.map(chunkChecksum)
  return {
    header: { uidValidity, count, survey, checksums, uidRanges: packUids(columns.uids, count) },
    chunks,
  }
}

/** The columns that the chunks hold, with `uids`; undefined when any chunk is not what the header says. */
export function unpackChunks(
  header: PackedHeader,
  chunks: readonly Uint8Array[],
  uids: Uint32Array,
): SnapshotColumns | undefined {
  if (chunks.length !== header.checksums.length) return undefined
  const sound: Uint8Array[] = []
  for (const [chunk, bytes] of chunks.entries()) {
    const found = soundChunk(header, chunk, bytes)
    if (!found) return undefined
    sound.push(found)
  }
  return new PackedColumns(uids, header.count, sound)
}

/**
 * The same of a large mailbox: `read` gives some chunks at a time, from the one of that number on, and others run in between. One that is so large that to
 * unpack a column takes long has none left to unpack.
 */
export async function unpackSlowly(
  header: PackedHeader,
  read: (first: number, count: number) => Awaitable<readonly Uint8Array[]>,
  uids: Uint32Array,
): Promise<SnapshotColumns | undefined> {
  const { chunksAtOnce, unpackedAtOnce } = limits.store
  const { count, checksums } = header
  const columns = count > unpackedAtOnce ? await makeColumnsSlowly(uids.length, uids) : undefined
  const sound: Uint8Array[] = []
  for (let chunk = 0; chunk < checksums.length; ) {
    const chunks = await read(chunk, chunksAtOnce)
    if (chunks.length === 0) return undefined
    for (const bytes of chunks) {
      const found = soundChunk(header, chunk, bytes)
      if (!found) return undefined
      if (columns) unpackChunk(header, chunk, found, columns)
      else sound.push(found)
      chunk++
    }
    await new Promise(setImmediate)
  }
  return columns ?? new PackedColumns(uids, count, sound)
}

/** The chunk in memory of its own, where numbers can be read as they lie; undefined when it is not what the header says. */
function soundChunk(header: PackedHeader, chunk: number, bytes: Uint8Array): Uint8Array | undefined {
  if (crc32(bytes) !== header.checksums[chunk]) return undefined
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
  return isPackedChunk(own, messagesIn(header, chunk)) ? own : undefined
}

function messagesIn({ count }: PackedHeader, chunk: number): number {
  return Math.min(messagesPerChunk, count - chunk * messagesPerChunk)
}

function unpackChunk(header: PackedHeader, chunk: number, bytes: Uint8Array, columns: SnapshotColumns): void {
  const start = chunk * messagesPerChunk
  const end = start + messagesIn(header, chunk)
  for (const name of packedColumns) unpackColumn(bytes, name, columns[name].subarray(start, end))
}

export function chunkChecksum(bytes: Uint8Array): number {
  return crc32(bytes)
}
