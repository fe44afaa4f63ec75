// Reads bodies out of segment files, with a few files kept open.
import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { zstdDecompressSync } from 'node:zlib'
import type { BlobHash } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import type { BodyLocation, CopyBody } from '../store.ts'
import type { BodySource } from './body-source.ts'
import { type DataFolder, segmentFile } from './data-folder.ts'
import { findRecordHeader, isRecordOf, recordHeaderBytes } from './record.ts'

const readAsync = promisify(read)

/** Below this a read blocks for less than a hop to another thread costs, when the file is in the page cache. */
const synchronousBytes = 256 * 1024

/** Up to so many bytes of a body are read with its header: a second read costs more than to copy them once more. */
const frontBytes = 32 * 1024

export class SegmentReader implements BodySource {
  readonly #folder: DataFolder
  /** The front of the record that was opened last, and how many have been opened. */
  readonly #front = Buffer.alloc(recordHeaderBytes + frontBytes)
  #opened = 0
  /** In the order of use, the oldest first. `users` counts reads under way, which keep the file open. */
  readonly #files = new Map<number, OpenSegment>()
  /** Runs while files are open. */
  #sweeping: NodeJS.Timeout | undefined

  constructor(folder: DataFolder) {
    this.#folder = folder
  }

  read(
    hash: BlobHash,
    location: BodyLocation,
    start: number,
    end: number,
  ): Buffer | undefined | Promise<Buffer | undefined> {
    const file = this.#open(location.segment)
    if (!file) return undefined
    const isWhole = location.compressed || (start === 0 && end === location.sizeBytes)
    // A whole body is read with its header, which says whether this is the right place.
    const position = isWhole ? location.offset : location.offset + recordHeaderBytes + start
    const length = isWhole ? recordHeaderBytes + location.storedBytes : end - start
    const finish = (bytes: Buffer): Buffer => {
      if (!isWhole) return bytes
      const header = findRecordHeader(bytes)
      if (!header || header.hash !== hash || header.storedBytes !== location.storedBytes)
        throw new StoreError(
          'corrupt',
          `segment ${location.segment} does not hold the body at ${location.offset}`,
        )
      const stored = bytes.subarray(recordHeaderBytes)
      if (!location.compressed) return stored
      // With a byte of room zlib sees at once that this was all.
      const body = zstdDecompressSync(stored, {
        chunkSize: Math.max(64, location.sizeBytes + 1),
        maxOutputLength: Math.max(1, location.sizeBytes),
      })
      if (body.length !== location.sizeBytes) {
        throw new StoreError('corrupt', `a compressed body in segment ${location.segment} has another length`)
      }
      return body.subarray(start, end)
    }
    const bytes = Buffer.allocUnsafeSlow(length)
    if (length > synchronousBytes)
      return this.#readLarge(file, location.segment, bytes, position).then(finish)
    fill(file, location.segment, bytes, 0, length, position)
    return finish(bytes)
  }

  open(hash: Uint8Array, location: BodyLocation, end: number): CopyBody | undefined {
    const { segment, offset, storedBytes, compressed } = location
    const file = compressed ? undefined : this.#open(segment)
    if (!file) return undefined
    const front = this.#front
    const opened = ++this.#opened
    const wanted = end <= frontBytes ? Math.min(storedBytes, end) : 0
    const count = readSync(file.fd, front, 0, recordHeaderBytes + wanted, offset)
    // The location may be an old one.
    if (count < recordHeaderBytes || !isRecordOf(front, hash, storedBytes)) return undefined
    return (start, end, target, at) => {
      if (opened === this.#opened && recordHeaderBytes + end <= count) {
        front.copy(target, at, recordHeaderBytes + start, recordHeaderBytes + end)
        return true
      }
      // Others may have had it closed meanwhile.
      const again = this.#open(segment)
      if (again) fill(again, segment, target, at, end - start, offset + recordHeaderBytes + start)
      return again !== undefined
    }
  }

  /** Closes every file that no read uses. */
  close(): void {
    clearInterval(this.#sweeping)
    this.#sweeping = undefined
    for (const [segment, file] of this.#files) this.#forget(segment, file)
  }

  async #readLarge(file: OpenSegment, segment: number, bytes: Buffer, position: number): Promise<Buffer> {
    file.users++
    try {
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await readAsync(
          file.fd,
          bytes,
          filled,
          bytes.length - filled,
          position + filled,
        )
        if (bytesRead === 0) throw truncated(segment)
        filled += bytesRead
      }
      return bytes
    } finally {
      file.users--
      if (file.forgotten && file.users === 0) closeSync(file.fd)
    }
  }

  #open(segment: number): OpenSegment | undefined {
    const known = this.#files.get(segment)
    if (known) {
      // Also when compaction has removed it since: what it holds stays right for as long as it is open.
      this.#files.delete(segment)
      this.#files.set(segment, known)
      return known
    }
    let fd: number
    try {
      fd = openSync(segmentFile(this.#folder, segment), 'r')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
    const file = { fd, users: 0, forgotten: false }
    this.#files.set(segment, file)
    this.#sweeping ??= setInterval(() => this.#sweep(), limits.store.openSegmentsMs).unref()
    for (const [oldest, oldFile] of this.#files) {
      if (this.#files.size <= limits.store.openSegments) break
      this.#forget(oldest, oldFile)
    }
    return file
  }

  /** Nobody asks again for a segment that was removed, and the disk gets its bytes back when the last thread lets go of it. */
  #sweep(): void {
    for (const [segment, file] of this.#files) if (isRemoved(file)) this.#forget(segment, file)
    if (this.#files.size > 0) return
    clearInterval(this.#sweeping)
    this.#sweeping = undefined
  }

  #forget(segment: number, file: OpenSegment): void {
    this.#files.delete(segment)
    file.forgotten = true
    if (file.users === 0) closeSync(file.fd)
  }
}

interface OpenSegment {
  readonly fd: number
  users: number
  forgotten: boolean
}

function isRemoved({ fd }: OpenSegment): boolean {
  return fstatSync(fd).nlink === 0
}

function fill(
  { fd }: OpenSegment,
  segment: number,
  target: Buffer,
  at: number,
  length: number,
  position: number,
): void {
  let filled = 0
  while (filled < length) {
    const count = readSync(fd, target, at + filled, length - filled, position + filled)
    if (count === 0) throw truncated(segment)
    filled += count
  }
}

function truncated(segment: number): StoreError {
  return new StoreError('corrupt', `segment ${segment} ends before a body that it should hold`)
}
