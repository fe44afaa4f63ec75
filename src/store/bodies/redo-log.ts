// Bodies that are in the very transaction that refers to them, because their segment has not been synced: one sync of SQLite's log makes both durable.
//
// Records of a segment never change once a commit refers to them, so it is right at any time to write them again, also where they are.
import { closeSync, openSync } from 'node:fs'
import type { Connection } from '../sqlite/connection.ts'
import { type DataFolder, segmentFile } from './data-folder.ts'
import { type SegmentFileSystem, writeAll } from './segment-files.ts'

interface Row {
  readonly id: number
  readonly position: number
  readonly records: Uint8Array
}

export interface RedoParts {
  /** The writer's: in a transaction, rows come and go with it. */
  readonly connection: Connection
  readonly folder: DataFolder
  readonly files: SegmentFileSystem
}

export class RedoLog {
  readonly #parts: RedoParts

  constructor(parts: RedoParts) {
    this.#parts = parts
    parts.connection.exec(
      'CREATE TABLE IF NOT EXISTS segment_redo (id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, position INTEGER NOT NULL, records BLOB NOT NULL)',
    )
  }

  /** Keeps what has been written at `position` of a segment. */
  add(segment: number, position: number, records: Uint8Array): void {
    this.#parts.connection.run(
      'INSERT INTO segment_redo (segment, position, records) VALUES (?, ?, ?)',
      segment,
      position,
      records,
    )
  }

  /** Forgets all: the segments have been synced. */
  clear(): void {
    this.#parts.connection.run('DELETE FROM segment_redo')
  }

  /** Writes all of it into the segments once more, and forgets it. What the file system throws leaves all of it here. */
  redo(): void {
    const segments = this.#parts.connection.all<{ segment: number }>(
      'SELECT DISTINCT segment FROM segment_redo',
    )
    if (segments.length === 0) return
    for (const { segment } of segments) this.#redoIn(segment)
    this.clear()
  }

  #redoIn(segment: number): void {
    const { connection, folder, files } = this.#parts
    const fd = openIfThere(segmentFile(folder, segment))
    if (fd === undefined) return
    try {
      for (let last = 0; ; ) {
        const row = connection.get<Row>(
          'SELECT id, position, records FROM segment_redo WHERE id > ? AND segment = ? ORDER BY id LIMIT 1',
          last,
          segment,
        )
        if (!row) break
        last = row.id
        writeAll(files, fd, [row.records], row.position)
      }
      files.dataSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}

/** Undefined for a segment that compaction has removed: its bodies are elsewhere. */
function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r+')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
