// Compaction: a segment that is mostly dead is copied to a new one without the dead, compressed where that pays, and removed.
//
// Safe at each step: the copies are synced before the rows point to them, in transactions; the old file goes only when no row points to it;
// a reader that comes late finds its file gone and looks the place up again. A crash leaves copies without rows, which the next run removes.
import {
  closeSync,
  fdatasyncSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { MoveBodies } from '../mutations/move-bodies.ts'
import type { MaintenanceReport } from '../store.ts'
import type { Connection } from '../sqlite/connection.ts'
import { type DataFolder, findSegmentNumber, segmentFile } from './data-folder.ts'
import { encodeRecordHeader, findRecordHeader, recordHeaderBytes } from './record.ts'
import { type SegmentWriter, syncFolder } from './segment-writer.ts'

const compress = promisify(zstdCompress)

export interface CompactionParts {
  readonly folder: DataFolder
  /** The writer's connection, read between transactions. */
  readonly connection: Connection
  readonly bodies: SegmentWriter
  readonly log: Log
  /** Runs the mutation `moveBodies`. */
  move(args: MoveBodies): Promise<void>
  /** Runs `section` when no transaction is open. */
  between<T>(section: () => T): Promise<T>
  readonly signal: AbortSignal
}

/** Which part of a segment may be dead before it is copied. */
const deadFraction = 0.5
/** What compression must save, of the body, to be worth a decompression at each read. */
const savedFraction = 0.1
const zstdLevel = 3

interface LiveBody {
  readonly position: number
  readonly storedBytes: number
  readonly sizeBytes: number
  readonly compressed: number
}

/** Goes over all segments once. Yields to mutations all the time; one run at a time. */
export async function compact(parts: CompactionParts): Promise<MaintenanceReport> {
  const { folder, log, signal } = parts
  let segments = 0
  let freedBytes = 0
  const target = new CompactionTarget(parts)
  try {
    const numbers = readdirSync(folder.segments)
      .map(findSegmentNumber)
      .filter(number => number !== undefined)
      .sort((a, b) => a - b)
    for (const segment of numbers) {
      if (signal.aborted) break
      try {
        const freed = await compactSegment(parts, segment, target)
        if (freed === undefined) continue
        segments++
        freedBytes += freed
      } catch (error) {
        // A damaged segment stays as it is, for `restante check` to tell; a full disk ends the run.
        log.warn(
          { err: error instanceof Error ? error : undefined, segment },
          'a segment could not be compacted',
        )
        if (isDiskFull(error)) break
      }
    }
  } finally {
    await target.close()
  }
  if (segments > 0) log.info({ segments, freedBytes }, 'segments compacted')
  return { segments, freedBytes: Math.max(0, freedBytes - target.writtenBytes) }
}

/** The bytes of the file that went; undefined when the segment is fine as it is. */
async function compactSegment(
  parts: CompactionParts,
  segment: number,
  target: CompactionTarget,
): Promise<number | undefined> {
  const { folder, bodies } = parts
  if (bodies.isHeld(segment) || segment === target.segment) return undefined
  const path = segmentFile(folder, segment)
  const fileBytes = statSync(path).size
  const live = await listLive(parts, segment)
  if (live.length > 0) {
    let liveBytes = 0
    for (const body of live) liveBytes += recordHeaderBytes + body.storedBytes
    if (liveBytes > fileBytes * (1 - deadFraction)) return undefined
    // From here on nobody is told to find a recent body in this segment, so it gains no rows.
    await parts.between(() => bodies.forgetRecent())
    await copyLive(parts, segment, live, target)
  } else {
    await parts.between(() => bodies.forgetRecent())
  }
  const isGone = await parts.between(() => {
    if (parts.connection.get('SELECT 1 FROM blob WHERE segment = ? LIMIT 1', segment)) return false
    unlinkSync(path)
    return true
  })
  return isGone ? fileBytes : 0
}

/** The bodies of a segment that rows point to, each once, by position; read in steps. */
async function listLive(parts: CompactionParts, segment: number): Promise<LiveBody[]> {
  const live: LiveBody[] = []
  for (let from = 0; ; from = (live.at(-1)?.position ?? 0) + 1) {
    const rows = await parts.between(() =>
      parts.connection.all<LiveBody>(
        `SELECT position, min(stored_bytes) AS "storedBytes", min(size_bytes) AS "sizeBytes", min(compressed) AS compressed
         FROM blob WHERE segment = ? AND position >= ? GROUP BY position ORDER BY position LIMIT ?`,
        segment,
        from,
        limits.store.bodiesPerStep,
      ),
    )
    live.push(...rows)
    if (rows.length < limits.store.bodiesPerStep) return live
    await new Promise(setImmediate)
  }
}

async function copyLive(
  parts: CompactionParts,
  segment: number,
  live: readonly LiveBody[],
  target: CompactionTarget,
): Promise<void> {
  const fd = openSync(segmentFile(parts.folder, segment), 'r')
  try {
    for (let first = 0; first < live.length; first += limits.store.bodiesPerStep) {
      await target.roll()
      const moves: MoveBodies['moves'][number][] = []
      for (const body of live.slice(first, first + limits.store.bodiesPerStep)) {
        if (parts.signal.aborted) return
        moves.push(await copyBody(fd, body, target))
        await new Promise(setImmediate)
      }
      target.sync()
      await parts.move({ segment, target: target.segment, moves })
    }
  } finally {
    closeSync(fd)
  }
}

async function copyBody(
  fd: number,
  body: LiveBody,
  target: CompactionTarget,
): Promise<MoveBodies['moves'][number]> {
  const record = Buffer.allocUnsafeSlow(recordHeaderBytes + body.storedBytes)
  const count = readSync(fd, record, 0, record.length, body.position)
  const header = findRecordHeader(record)
  if (count !== record.length || !header || header.storedBytes !== body.storedBytes) {
    throw new Error(`the segment does not hold a body at ${body.position}`)
  }
  const stored = record.subarray(recordHeaderBytes)
  const isWorthTrying = !header.compressed && body.sizeBytes >= limits.store.compressedBodyBytes
  const packed = isWorthTrying
    ? await compress(stored, { params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } })
    : undefined
  if (packed && packed.length <= stored.length * (1 - savedFraction)) {
    const newHeader = encodeRecordHeader({ ...header, storedBytes: packed.length, compressed: true })
    const targetPosition = target.write([newHeader, packed])
    return { position: body.position, targetPosition, storedBytes: packed.length, isCompressed: true }
  }
  const targetPosition = target.write([record])
  return {
    position: body.position,
    targetPosition,
    storedBytes: body.storedBytes,
    isCompressed: header.compressed,
  }
}

/** The segment that one run writes to; there is none until there is something to write. */
class CompactionTarget {
  readonly #parts: CompactionParts
  #fd: number | undefined
  #end = 0
  segment = 0
  writtenBytes = 0

  constructor(parts: CompactionParts) {
    this.#parts = parts
  }

  /** Makes sure that there is a file with room. */
  async roll(): Promise<void> {
    if (this.#fd !== undefined && this.#end < limits.store.segmentBytes) return
    await this.close()
    const { bodies, folder } = this.#parts
    this.segment = bodies.takeSegmentNumber()
    this.#fd = openSync(segmentFile(folder, this.segment), 'wx', 0o600)
    this.#end = 0
    syncFolder(folder.segments)
  }

  /** The position of the record. */
  write(buffers: readonly Uint8Array[]): number {
    const position = this.#end
    for (const buffer of buffers) {
      let written = 0
      while (written < buffer.byteLength) {
        written += writeSync(
          this.#fd as number,
          buffer,
          written,
          buffer.byteLength - written,
          this.#end + written,
        )
      }
      this.#end += buffer.byteLength
      this.writtenBytes += buffer.byteLength
    }
    return position
  }

  sync(): void {
    if (this.#fd !== undefined) fdatasyncSync(this.#fd)
  }

  /** Closes the file, and removes it when no row points to it (the run failed before its first step was done). */
  async close(): Promise<void> {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
    const { connection, folder } = this.#parts
    await this.#parts.between(() => {
      if (connection.get('SELECT 1 FROM blob WHERE segment = ? LIMIT 1', this.segment)) return
      unlinkSync(segmentFile(folder, this.segment))
    })
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'disk-full')
}
