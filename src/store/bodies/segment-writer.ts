// Appends bodies to segment files: one write for all that one transaction brings, and one fdatasync, or for a few bodies a row in the transaction itself,
// whose commit is a sync anyway (`redo-log.ts`).
//
// Invariants: a body is durable before the transaction that refers to it commits, or becomes so with it; nothing below `#end` is ever written again, but the same;
// after a failed sync a segment is never appended to (the kernel may have dropped what it could not write, and forgotten the error);
// behind `#end` there may be zeros, which are cut off when the file is closed or opened again.
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
} from 'node:fs'
import type { BlobHash } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import type { BodyLocation, BodyRef } from '../store.ts'
import type { BodySink } from './body-sink.ts'
import { type DataFolder, findSegmentNumber, segmentFile, stagingFile } from './data-folder.ts'
import { encodeRecordHeader, findRecordHeader, recordHeaderBytes } from './record.ts'
import type { RedoLog } from './redo-log.ts'
import { type SegmentFileSystem, writeAll } from './segment-files.ts'

interface Pending {
  readonly hash: BlobHash
  readonly location: BodyLocation
  readonly source:
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
    | { readonly kind: 'copied-file'; readonly file: string }
    | { readonly kind: 'own-file'; readonly file: string }
}

/** Few at a time: Linux keeps what one call writes in one piece, and takes all of it for changed when a part is written over. */
const zeros = Buffer.alloc(16 * 1024)

export class SegmentWriter implements BodySink {
  readonly #folder: DataFolder
  readonly #files: SegmentFileSystem
  readonly #redoLog: RedoLog
  readonly #recent = new Lru<BlobHash, BodyLocation>(limits.store.recentBodies)
  #pending: Pending[] = []
  #pendingByHash = new Map<BlobHash, BodyLocation>()
  /** The segment that is appended to; its file is made by the first flush. */
  #segment: number
  #fd: number | undefined
  /** The segment that `#fd` is open on. */
  #openSegment: number | undefined
  /** Where its bodies end, and its file, which may have zeros behind them. */
  #written = 0
  #fileEnd = 0
  /** The segment in which a batch failed: what room there is may be needed elsewhere, so it gets no reserve any more. */
  #tightSegment: number | undefined
  /** Where the next body goes once the batch is committed. */
  #end: number
  /** The same for the batch under way. */
  #batchSegment: number
  #batchEnd: number
  #nextSegment: number
  #created: number[] = []
  #renamed: { readonly from: string; readonly to: string }[] = []
  /** The segment of which bodies are in the redo log; the same for the batch under way. */
  #loggedSegment: number | undefined
  #batchLoggedSegment: number | undefined

  pendingBytes = 0

  /** `lastCommitted` is the last body that the database knows in its highest segment. What the redo log holds is in the segments already. */
  constructor(
    folder: DataFolder,
    lastCommitted: BodyLocation | undefined,
    redoLog: RedoLog,
    files: SegmentFileSystem,
  ) {
    this.#folder = folder
    this.#files = files
    this.#redoLog = redoLog
    let highest = lastCommitted?.segment ?? 0
    for (const name of readdirSync(folder.segments)) highest = Math.max(highest, findSegmentNumber(name) ?? 0)
    this.#nextSegment = highest + 1
    const tail =
      lastCommitted && lastCommitted.segment === highest ? openTail(folder, lastCommitted) : undefined
    if (tail) {
      this.#segment = highest
      this.#fd = tail.fd
      this.#openSegment = highest
      this.#end = tail.end
      this.#written = tail.end
      this.#fileEnd = tail.end
    } else {
      this.#segment = this.#nextSegment++
      this.#end = 0
    }
    this.#batchSegment = this.#segment
    this.#batchEnd = this.#end
  }

  /** Whether compaction leaves a segment alone: it is appended to, or not synced. */
  isHeld(segment: number): boolean {
    return segment === this.#segment || segment === this.#loggedSegment
  }

  /** Takes a number for a segment that compaction writes. */
  takeSegmentNumber(): number {
    return this.#nextSegment++
  }

  locate(body: BodyRef): BodyLocation {
    const known = this.#pendingByHash.get(body.hash) ?? this.#recent.get(body.hash)
    if (known) return known
    const sizeBytes = body.kind === 'inline' ? body.bytes.byteLength : body.sizeBytes
    let location: BodyLocation
    let source: Pending['source']
    if (body.kind === 'staged' && sizeBytes > limits.store.ownSegmentBytes) {
      location = {
        segment: this.#nextSegment++,
        offset: 0,
        storedBytes: sizeBytes,
        sizeBytes,
        compressed: false,
      }
      source = { kind: 'own-file', file: body.file }
    } else {
      const recordBytes = recordHeaderBytes + sizeBytes
      if (this.#batchEnd > 0 && this.#batchEnd + recordBytes > limits.store.segmentBytes) {
        this.#batchSegment = this.#nextSegment++
        this.#batchEnd = 0
      }
      location = {
        segment: this.#batchSegment,
        offset: this.#batchEnd,
        storedBytes: sizeBytes,
        sizeBytes,
        compressed: false,
      }
      source =
        body.kind === 'inline'
          ? { kind: 'bytes', bytes: body.bytes }
          : { kind: 'copied-file', file: body.file }
      this.#batchEnd += recordBytes
      this.pendingBytes += recordBytes
    }
    this.#pending.push({ hash: body.hash, location, source })
    this.#pendingByHash.set(body.hash, location)
    return location
  }

  mark(): number {
    return this.#pending.length
  }

  rollBackTo(mark: number): void {
    for (const { hash, location, source } of this.#pending.splice(mark)) {
      this.#pendingByHash.delete(hash)
      if (source.kind !== 'own-file') this.pendingBytes -= recordHeaderBytes + location.storedBytes
    }
    const last = this.#pending.findLast(pending => pending.source.kind !== 'own-file')
    this.#batchSegment = last?.location.segment ?? this.#segment
    this.#batchEnd = last ? last.location.offset + recordHeaderBytes + last.location.storedBytes : this.#end
  }

  flush(): void {
    if (this.#pending.length === 0) return
    // Given up since: its sync has failed.
    if (this.#loggedSegment !== undefined && this.#loggedSegment !== this.#openSegment) {
      this.#redoLog.redo()
      this.#batchLoggedSegment = undefined
    }
    const isLogged = this.#mayBeLogged()
    let position = -1
    let segment = -1
    let buffers: Uint8Array[] = []
    for (const { hash, location, source } of this.#pending) {
      if (source.kind === 'own-file') {
        this.#adopt(source.file, location.segment)
        continue
      }
      if (location.segment !== segment) {
        this.#write(segment, buffers, position, isLogged)
        segment = location.segment
        position = location.offset
        buffers = []
      }
      if (source.kind === 'bytes') {
        buffers.push(encodeRecordHeader({ hash, ...location }), source.bytes)
      } else {
        buffers.push(this.#readStaged(hash, source.file, location))
      }
    }
    this.#write(segment, buffers, position, isLogged)
    if (this.#created.length > 0 || this.#renamed.length > 0) syncFolder(this.#folder.segments)
  }

  committed(): void {
    for (const { hash, location, source } of this.#pending) {
      this.#recent.set(hash, location)
      if (source.kind === 'copied-file') removeFile(stagingFile(this.#folder, source.file))
    }
    this.#segment = this.#batchSegment
    this.#end = this.#batchEnd
    this.#loggedSegment = this.#batchLoggedSegment
    this.#startBatch()
  }

  abandoned(): void {
    this.#tightSegment = this.#batchSegment
    for (const { from, to } of this.#renamed) {
      try {
        renameSync(to, from)
      } catch {
        // The segment stays behind without a row that refers to it, and compaction removes it.
      }
    }
    for (const segment of this.#created) {
      if (segment === this.#openSegment) this.#closeFile()
      removeFile(segmentFile(this.#folder, segment))
    }
    if (this.#openSegment !== this.#segment) this.#closeFile()
    if (this.#fd !== undefined && this.#end > 0) {
      try {
        ftruncateSync(this.#fd, this.#end)
        this.#written = this.#end
        this.#fileEnd = this.#end
      } catch {
        this.#giveUpSegment()
      }
    }
    this.#batchSegment = this.#segment
    this.#batchEnd = this.#end
    this.#startBatch()
  }

  forgetRecent(): void {
    this.#recent.clear()
  }

  close(): void {
    try {
      if (this.#fd !== undefined && this.#openSegment === this.#loggedSegment) {
        this.#files.dataSync(this.#fd)
        this.#redoLog.clear()
      }
    } catch {
      // They stay in the log for the next start.
    }
    this.#closeFile()
  }

  #startBatch(): void {
    this.#pending = []
    this.#pendingByHash = new Map()
    this.#created = []
    this.#renamed = []
    this.#batchLoggedSegment = this.#loggedSegment
    this.pendingBytes = 0
  }

  /** Whether the bodies of this batch go into the redo log: they are few, and lie within what the file has room for. */
  #mayBeLogged(): boolean {
    return (
      this.pendingBytes <= limits.store.redoBatchBytes &&
      this.#batchSegment === this.#openSegment &&
      this.#batchEnd <= this.#fileEnd &&
      this.#pending.every(
        ({ location, source }) => source.kind === 'bytes' && location.segment === this.#openSegment,
      )
    )
  }

  #write(segment: number, buffers: readonly Uint8Array[], start: number, isLogged: boolean): void {
    if (buffers.length === 0) return
    const fd = this.#fileFor(segment)
    const position = writeAll(this.#files, fd, buffers, start)
    this.#written = position
    if (isLogged) {
      this.#redoLog.add(segment, start, Buffer.concat(buffers))
      this.#batchLoggedSegment = segment
      return
    }
    if (position > this.#fileEnd) {
      this.#fileEnd = position
      if (position - start <= limits.store.reservedBatchBytes && segment !== this.#tightSegment)
        this.#reserve(fd)
    }
    this.#sync(fd)
    if (this.#batchLoggedSegment === undefined) return
    this.#redoLog.clear()
    this.#batchLoggedSegment = undefined
  }

  #sync(fd: number): void {
    try {
      this.#files.dataSync(fd)
    } catch (error) {
      this.#giveUpSegment()
      throw error
    }
  }

  /** Lengthens the file for the batches that follow: theirs are overwrites, which ext4 syncs without its journal. */
  #reserve(fd: number): void {
    const end = this.#fileEnd + limits.store.segmentReserveBytes
    try {
      while (this.#fileEnd < end) this.#fileEnd = writeAll(this.#files, fd, [zeros], this.#fileEnd)
    } catch {
      // There is no room for it: the next batch will be told so.
    }
  }

  #fileFor(segment: number): number {
    if (this.#fd !== undefined) {
      if (this.#openSegment === segment) return this.#fd
      if (this.#openSegment === this.#loggedSegment) this.#sync(this.#fd)
      this.#closeFile()
    }
    const isOld = segment === this.#segment && this.#end > 0
    const flags = isOld ? constants.O_RDWR : constants.O_RDWR | constants.O_CREAT | constants.O_EXCL
    this.#fd = openSync(segmentFile(this.#folder, segment), flags, 0o600)
    this.#openSegment = segment
    this.#written = isOld ? this.#end : 0
    this.#fileEnd = isOld ? fstatSync(this.#fd).size : 0
    if (!isOld) this.#created.push(segment)
    return this.#fd
  }

  /** Turns a large staging file, which begins with a record header and was synced by who wrote it, into a segment. */
  #adopt(file: string, segment: number): void {
    const from = stagingFile(this.#folder, file)
    const to = segmentFile(this.#folder, segment)
    renameSync(from, to)
    this.#renamed.push({ from, to })
  }

  #readStaged(hash: BlobHash, file: string, location: BodyLocation): Buffer {
    const record = readFileSync(stagingFile(this.#folder, file))
    const header = findRecordHeader(record)
    if (header?.hash !== hash || record.length !== recordHeaderBytes + location.storedBytes) {
      throw Object.assign(new Error('a staging file is not what it was'), { code: 'EIO' })
    }
    return record
  }

  #giveUpSegment(): void {
    this.#closeFile()
    this.#segment = this.#nextSegment++
    this.#end = 0
  }

  #closeFile(): void {
    const fd = this.#fd
    this.#fd = undefined
    this.#openSegment = undefined
    if (fd === undefined) return
    try {
      if (this.#fileEnd > this.#written) ftruncateSync(fd, this.#written)
    } catch {
      // The zeros stay until compaction.
    }
    try {
      closeSync(fd)
    } catch {
      // Linux frees the descriptor whatever close() says, and what was promised has been synced before.
    }
  }
}

/** Opens the last segment where it ends: what is whole behind the last known body is kept, a torn tail is cut off. */
function openTail(folder: DataFolder, last: BodyLocation): { fd: number; end: number } | undefined {
  let fd: number
  try {
    fd = openSync(segmentFile(folder, last.segment), 'r+')
  } catch (error) {
    // Every later read of it will say so; new bodies go to a new segment.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const sizeBytes = fstatSync(fd).size
  let end = last.offset + recordHeaderBytes + last.storedBytes
  if (sizeBytes < end || end >= limits.store.segmentBytes) {
    closeSync(fd)
    return undefined
  }
  const header = Buffer.alloc(recordHeaderBytes)
  for (;;) {
    const count = readSync(fd, header, 0, recordHeaderBytes, end)
    const record = count === recordHeaderBytes ? findRecordHeader(header) : undefined
    if (!record || end + recordHeaderBytes + record.storedBytes > sizeBytes) break
    end += recordHeaderBytes + record.storedBytes
  }
  if (end < sizeBytes) ftruncateSync(fd, end)
  return { fd, end }
}

/** Makes new names in a folder durable. */
export function syncFolder(path: string): void {
  // Windows cannot open a folder; NTFS journals names by itself.
  if (process.platform === 'win32') return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // A leftover staging file is removed at the next start, a leftover segment by compaction.
  }
}
