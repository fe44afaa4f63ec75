// A store whose writer is elsewhere: another thread of this process, or the server that a command talks to.
import { silentLog } from '../base/log.ts'
import { dataFolder } from '../store/bodies/data-folder.ts'
import { FileStagedBody } from '../store/bodies/file-staged-body.ts'
import { SegmentReader } from '../store/bodies/segment-reader.ts'
import type { MutationName } from '../store/mutations.ts'
import { noSearchIndex } from '../store/search/search-index.ts'
import { SnapshotCache } from '../store/snapshots/snapshot-cache.ts'
import { ConnectionReader } from '../store/sqlite/connection-reader.ts'
import { openReader } from '../store/sqlite/open-writer.ts'
import { SqliteStore } from '../store/sqlite/sqlite-store.ts'
import type { Log } from '../base/log.ts'

export interface StoreBesideOptions {
  readonly dataDir: string
  /** Asks the writer. */
  readonly mutate: (name: MutationName, args: unknown) => Promise<unknown>
  readonly close?: () => Promise<void>
  readonly log?: Log
}

/** Opens a store for reading here and writing elsewhere. Throws `StoreError`. */
export function openStoreBeside({
  dataDir,
  mutate,
  close,
  log = silentLog,
}: StoreBesideOptions): SqliteStore {
  const folder = dataFolder(dataDir)
  const connection = openReader(folder)
  return new SqliteStore({
    connection,
    reader: new ConnectionReader(connection),
    whenCommitted: section => section(),
    snapshots: new SnapshotCache(connection),
    bodies: new SegmentReader(folder),
    searchIndex: noSearchIndex,
    log,
    mutate,
    stageBody: () => new FileStagedBody(folder),
    async close() {
      connection.close()
      await close?.()
    },
  })
}
