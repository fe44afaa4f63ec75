// Snapshots as bytes: chunks of 1,024 messages, columns one after another, and a header that knows the checksum of each. A cache: what does not fit is dropped.
import { endianness } from 'node:os'
import { crc32 } from 'node:zlib'
import { bytesPerMessage, makeColumns, type SnapshotColumns } from './columns.ts'

export const messagesPerChunk = 1024

/** Numbers lie as this machine keeps them; on a machine of the other kind the header does not match and the snapshot is made anew. */
const format = endianness() === 'LE' ? 1 : 2

/** What the header says. */
export interface PackedHeader {
  readonly uidValidity: number
  readonly count: number
  /** CRC-32 of each chunk. */
  readonly checksums: readonly number[]
}

export function packHeader({ uidValidity, count, checksums }: PackedHeader): Uint8Array {
  const words = Uint32Array.from([format, uidValidity, count, ...checksums])
  const bytes = new Uint8Array(words.byteLength + 4)
  bytes.set(new Uint8Array(words.buffer))
  new Uint32Array(bytes.buffer, words.byteLength, 1)[0] = crc32(bytes.subarray(0, words.byteLength))
  return bytes
}

/** Undefined when it is damaged or of another format. */
export function findPackedHeader(bytes: Uint8Array): PackedHeader | undefined {
  if (bytes.byteLength < 16 || bytes.byteLength % 4 !== 0) return undefined
  const words = new Uint32Array(Uint8Array.from(bytes).buffer)
  const checksum = words[words.length - 1]
  if (words[0] !== format || crc32(bytes.subarray(0, bytes.byteLength - 4)) !== checksum) return undefined
  const [, uidValidity = 0, count = 0] = words
  const checksums = [...words.subarray(3, -1)]
  if (checksums.length !== Math.ceil(count / messagesPerChunk)) return undefined
  return { uidValidity, count, checksums }
}

/** The chunk's messages as bytes, in an allocation of its own. */
export function packChunk(columns: SnapshotColumns, chunk: number, count: number): Uint8Array {
  const start = chunk * messagesPerChunk
  const end = Math.min(start + messagesPerChunk, count)
  const size = end - start
  const buffer = new ArrayBuffer(size * bytesPerMessage)
  for (const [index, name] of wideColumns.entries()) {
    new Float64Array(buffer, index * size * 8, size).set(columns[name].subarray(start, end))
  }
  for (const [index, name] of narrowColumns.entries()) {
    new Uint32Array(buffer, (wideColumns.length * 8 + index * 4) * size, size).set(
      columns[name].subarray(start, end),
    )
  }
  return new Uint8Array(buffer)
}

/** The columns that the chunks hold, with room for `spare` more; undefined when any is not what the header says. */
export function unpackChunks(
  header: PackedHeader,
  chunks: readonly Uint8Array[],
  spare: number,
): SnapshotColumns | undefined {
  const { count, checksums } = header
  if (chunks.length !== checksums.length) return undefined
  const columns = makeColumns(count + spare)
  for (const [chunk, bytes] of chunks.entries()) {
    const start = chunk * messagesPerChunk
    const size = Math.min(messagesPerChunk, count - start)
    if (bytes.byteLength !== size * bytesPerMessage || crc32(bytes) !== checksums[chunk]) return undefined
    // A view of 64-bit numbers must begin at a multiple of eight bytes.
    const aligned = bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes)
    const { buffer, byteOffset } = aligned
    for (const [index, name] of wideColumns.entries()) {
      columns[name].set(new Float64Array(buffer, byteOffset + index * size * 8, size), start)
    }
    for (const [index, name] of narrowColumns.entries()) {
      const offset = byteOffset + (wideColumns.length * 8 + index * 4) * size
      columns[name].set(new Uint32Array(buffer, offset, size), start)
    }
  }
  return columns
}

export function chunkChecksum(bytes: Uint8Array): number {
  return crc32(bytes)
}

const wideColumns = ['modSeqs', 'sizes', 'receivedAts', 'savedAts', 'emails'] as const
const narrowColumns = ['uids', 'flags'] as const
