// One record of a segment: a header of 64 bytes, then the body as stored. So a segment can be walked without the database.
//
//   0  4  magic "RSEG"           4  1  format, 1            5  1  encoding: 0 as it is, 1 zstd
//   6  2  zero                   8  8  stored bytes        16  8  body's size in bytes
//  24 32  SHA-256 of the body   56  4  zero                60  4  CRC-32 of the 60 bytes before
import { crc32 } from 'node:zlib'
import type { BlobHash } from '../../base/ids.ts'

export const recordHeaderBytes = 64

const magic = 0x52534547
const format = 1

export interface RecordHeader {
  readonly hash: BlobHash
  readonly storedBytes: number
  readonly sizeBytes: number
  readonly compressed: boolean
}

/** Whether `bytes` begin with the header of this body, stored as it is. The hash stands for the checksum: no other bytes have it in its place. */
export function isRecordOf(bytes: Buffer, hash: Uint8Array, storedBytes: number): boolean {
  return (
    bytes.readUInt32BE(0) === magic &&
    bytes[4] === format &&
    bytes[5] === 0 &&
    Number(bytes.readBigUInt64BE(8)) === storedBytes &&
    bytes.compare(hash, 0, hash.length, 24, 56) === 0
  )
}

export function encodeRecordHeader(record: RecordHeader): Buffer {
  const header = Buffer.alloc(recordHeaderBytes)
  header.writeUInt32BE(magic, 0)
  header[4] = format
  header[5] = record.compressed ? 1 : 0
  header.writeBigUInt64BE(BigInt(record.storedBytes), 8)
  header.writeBigUInt64BE(BigInt(record.sizeBytes), 16)
  header.write(record.hash, 24, 32, 'hex')
  header.writeUInt32BE(crc32(header.subarray(0, 60)), 60)
  return header
}

/** Undefined when `bytes` does not begin with a whole record header. */
export function findRecordHeader(bytes: Buffer): RecordHeader | undefined {
  if (!isHeader(bytes)) return undefined
  const encoding = bytes[5]
  const storedBytes = Number(bytes.readBigUInt64BE(8))
  const sizeBytes = Number(bytes.readBigUInt64BE(16))
  if (
    (encoding !== 0 && encoding !== 1) ||
    !Number.isSafeInteger(storedBytes) ||
    !Number.isSafeInteger(sizeBytes)
  ) {
    return undefined
  }
  return {
    hash: bytes.toString('hex', 24, 56) as BlobHash,
    storedBytes,
    sizeBytes,
    compressed: encoding === 1,
  }
}

function isHeader(bytes: Buffer): boolean {
  return (
    bytes.length >= recordHeaderBytes &&
    bytes.readUInt32BE(0) === magic &&
    bytes[4] === format &&
    bytes.readUInt32BE(60) === crc32(bytes.subarray(0, 60))
  )
}
