// Where things lie in a store's folder. Names of files come from counters and random ids only, never from what a client sent.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** `store.db` (and its -wal, -shm), `segments/NNNNNNNN.seg`, `staging/ID.body`, `lock`, `search.db`. */
export interface DataFolder {
  readonly path: string
  readonly database: string
  readonly segments: string
  readonly staging: string
  readonly lock: string
  readonly searchIndex: string
}

export function dataFolder(path: string): DataFolder {
  return {
    path,
    database: join(path, 'store.db'),
    segments: join(path, 'segments'),
    staging: join(path, 'staging'),
    lock: join(path, 'lock'),
    searchIndex: join(path, 'search.db'),
  }
}

/** Makes what is missing, closed to other users of the machine. */
export function makeDataFolder(folder: DataFolder): void {
  for (const path of [folder.path, folder.segments, folder.staging]) {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  }
}

export function segmentFile(folder: DataFolder, segment: number): string {
  return join(folder.segments, `${segment.toString().padStart(8, '0')}.seg`)
}

/** The number in a segment file's name; undefined for other files. */
export function findSegmentNumber(name: string): number | undefined {
  const match = /^(\d{8,15})\.seg$/.exec(name)
  return match ? Number(match[1]) : undefined
}

/** The path of a staging file. The name is checked: it crosses threads, and must not lead anywhere else. */
export function stagingFile(folder: DataFolder, name: string): string {
  if (!/^[0-9a-f-]{1,64}\.body$/.test(name)) throw new Error('not the name of a staging file')
  return join(folder.staging, name)
}
