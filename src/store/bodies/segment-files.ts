// The system calls by which bodies reach the disk.
import { fdatasyncSync, writevSync } from 'node:fs'

/** What can fail, so that tests make it fail. */
export interface SegmentFileSystem {
  writev(fd: number, buffers: readonly Uint8Array[], position: number): number
  dataSync(fd: number): void
}

export const segmentFileSystem: SegmentFileSystem = {
  writev: (fd, buffers, position) => writevSync(fd, buffers, position),
  dataSync: fd => fdatasyncSync(fd),
}

/** Buffers that one `writev` takes (IOV_MAX is 1024). */
const buffersPerWrite = 1000

/** Writes all of `buffers` from `start` on; gives the position behind them. */
export function writeAll(
  files: SegmentFileSystem,
  fd: number,
  buffers: readonly Uint8Array[],
  start: number,
): number {
  let position = start
  for (let first = 0; first < buffers.length; first += buffersPerWrite) {
    position = writeSome(files, fd, buffers.slice(first, first + buffersPerWrite), position)
  }
  return position
}

function writeSome(
  files: SegmentFileSystem,
  fd: number,
  buffers: readonly Uint8Array[],
  start: number,
): number {
  let position = start
  let rest = buffers
  for (;;) {
    let left = 0
    for (const buffer of rest) left += buffer.byteLength
    const written = files.writev(fd, rest, position)
    position += written
    if (written >= left) return position
    rest = dropBytes(rest, written)
  }
}

function dropBytes(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = []
  let skip = count
  for (const buffer of buffers) {
    if (skip >= buffer.byteLength) skip -= buffer.byteLength
    else {
      rest.push(skip === 0 ? buffer : buffer.subarray(skip))
      skip = 0
    }
  }
  return rest
}
