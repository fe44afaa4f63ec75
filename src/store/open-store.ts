// Opens a store: in memory, in a folder that this thread writes, beside the thread that writes it, or on PostgreSQL.
import type { MessagePort } from 'node:worker_threads'
import type { Awaitable } from '../base/awaitable.ts'
import { systemClock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { silentLog } from '../base/log.ts'
import { silentMetrics } from '../base/metrics.ts'
import { AccountCounts } from './account-counts.ts'
import { type DataFolder, dataFolder } from './bodies/data-folder.ts'
import { FileStagedBody } from './bodies/file-staged-body.ts'
import { MemoryBodies } from './bodies/memory-bodies.ts'
import { MemoryStagedBody } from './bodies/memory-staged-body.ts'
import { SegmentReader } from './bodies/segment-reader.ts'
import type { PostgresPlace } from './postgres/place.ts'
import { Indexer } from './search/indexer.ts'
import { ChunkedIndex, noSearchIndex, type SearchIndex } from './search/search-index.ts'
import { followOwn } from './snapshots/follow-own.ts'
import type { PackAheadStore } from './snapshots/pack-ahead.ts'
import { SnapshotCache } from './snapshots/snapshot-cache.ts'
import { type ChunkPlace, chunksInFile, chunksInMemory } from './sqlite/chunk-places.ts'
import { Connection } from './sqlite/connection.ts'
import { ConnectionReader, SharedReader } from './sqlite/connection-reader.ts'
import { DirectWriter } from './sqlite/direct-writer.ts'
import { Maintenance } from './sqlite/maintenance.ts'
import { migrate } from './sqlite/migrate.ts'
import { openReader, openWriter } from './sqlite/open-writer.ts'
import { RemoteWriter } from './sqlite/remote-writer.ts'
import { SqliteStore } from './sqlite/sqlite-store.ts'
import { Writer } from './sqlite/writer.ts'
import type { StoreOptions } from './store-options.ts'
import type { ChangeHint, Reader, Store } from './store.ts'

export type StorePlace =
  /** Nothing outlives the process. */
  | { readonly memory: true }
  /** A folder, made when it is missing; this thread writes it, and no other process may. */
  | { readonly dataDir: string }
  /** A PostgreSQL database, which any number of stores may have open. */
  | PostgresPlace

/** A folder whose writer is another thread of this process (`startWriter`), over the port that it gave. */
export interface WriterPlace {
  readonly dataDir: string
  readonly port: MessagePort
}

/** A store whose writer is another thread. */
export interface ConnectedStore extends Store, PackAheadStore {
  /** Takes the port of a writer that was started anew after the last one died. Until then changes are refused as `unavailable`; reads go on. */
  connect(port: MessagePort): void
  /** Calls `listener` after each commit with what it changed, until the store is closed. */
  watchAll(listener: (hints: readonly ChangeHint[]) => void): void
}

/** Opens, and makes what is missing. Throws `StoreError` `unavailable` when another process has it or a newer program wrote it. */
export async function openStore(place: WriterPlace, options?: StoreOptions): Promise<ConnectedStore>
export async function openStore(place: StorePlace, options?: StoreOptions): Promise<Store>
export async function openStore(place: StorePlace | WriterPlace, options: StoreOptions = {}): Promise<Store> {
  if ('memory' in place) return openInMemory(options)
  if ('url' in place) {
    // Loaded where it is used: the embedded store needs none of it.
    const { openPostgres } = await import('./postgres/open-postgres.ts')
    return openPostgres(place, options)
  }
  const folder = dataFolder(place.dataDir)
  return 'port' in place ? openConnected(folder, place.port, options) : openInFolder(folder, options)
}

function openInMemory(options: StoreOptions): Store {
  const { clock = systemClock, log = silentLog, metrics = silentMetrics, defaultQuota = {} } = options
  const connection = new Connection(':memory:', {
    readOnly: false,
    timeoutMs: 0,
    cacheBytes: limits.store.readerCacheBytes,
  })
  migrate(connection, clock.now())
  const bodies = new MemoryBodies()
  const writer: Writer = new Writer({
    connection,
    bodies,
    wal: undefined,
    clock,
    log,
    metrics,
    defaultQuota,
    onCommit: hints => store.tell(hints),
  })
  const isUsed = (segment: number) =>
    connection.get('SELECT 1 FROM blob WHERE segment = ? LIMIT 1', segment) !== undefined
  const maintenance = new Maintenance({
    writer,
    connection,
    clock,
    log,
    compact: () => writer.between(() => bodies.compact(isUsed)),
  })
  const whenCommitted = <T>(section: () => Awaitable<T>): Awaitable<T> =>
    writer.transaction ? writer.transaction.then(() => whenCommitted(section)) : section()
  const chunks = options.searchIndex === true ? chunksInMemory() : undefined
  const store: SqliteStore = new SqliteStore({
    connection,
    reader: new SharedReader(connection, whenCommitted),
    whenCommitted,
    snapshots: new SnapshotCache(connection, options.snapshotBytes),
    bodies,
    searchIndex: indexOf(chunks),
    log,
    mutate: (name, args) => writer.mutate(name, args),
    stageBody: () => new MemoryStagedBody(),
    async maintain() {
      const report = await maintenance.run()
      await indexer?.run()
      return report
    },
    async close() {
      await indexer?.close()
      await maintenance.close()
      await writer.close()
      connection.close()
    },
  })
  const indexer = startIndexer(store, chunks, options)
  return store
}

/** In this thread. */
function startIndexer(
  store: SqliteStore,
  chunks: ChunkPlace | undefined,
  { log = silentLog, metrics = silentMetrics }: StoreOptions,
): Indexer | undefined {
  if (!chunks) return undefined
  const indexer = new Indexer({ store, open: () => chunks.open(), log, metrics })
  store.watchAll(hints => indexer.tell(hints))
  return indexer
}

function indexOf(chunks: ChunkPlace | undefined): SearchIndex {
  return chunks ? new ChunkedIndex(chunks.source) : noSearchIndex
}

async function openInFolder(folder: DataFolder, options: StoreOptions): Promise<Store> {
  const { log = silentLog } = options
  const changes = new AccountCounts()
  const opened = openWriter(folder, options, hints => {
    for (const { account } of hints) changes.add(account)
    store.tell(hints)
  })
  let connection: Connection
  try {
    connection = openReader(folder)
  } catch (error) {
    void opened.close()
    throw error
  }
  const snapshots = new SnapshotCache(connection, options.snapshotBytes, () => changes)
  snapshots.packWith(args => opened.writer.mutate('saveSnapshot', args))
  const reader = new ConnectionReader(connection)
  const chunks = await placeOf(folder, reader, options)
  const store: SqliteStore = new SqliteStore({
    connection,
    reader,
    whenCommitted: section => section(),
    snapshots,
    bodies: new SegmentReader(folder),
    searchIndex: indexOf(chunks),
    log,
    mutate: (name, args) => opened.writer.mutate(name, args),
    stageBody: () => new FileStagedBody(folder),
    async maintain() {
      const report = await opened.maintain()
      await indexer?.run()
      return report
    },
    async close() {
      await indexer?.close()
      chunks?.close()
      await snapshots.packAll()
      await opened.writer.close()
      connection.close()
      await opened.close()
    },
  })
  const indexer = startIndexer(store, chunks, options)
  return store
}

async function openConnected(
  folder: DataFolder,
  port: MessagePort,
  options: StoreOptions,
): Promise<ConnectedStore> {
  const { clock = systemClock, log = silentLog, metrics = silentMetrics, defaultQuota = {} } = options
  const connection = openReader(folder)
  const direct = new DirectWriter({ path: folder.database, clock, metrics, defaultQuota })
  const watched = new AccountCounts()
  const writer: RemoteWriter = new RemoteWriter(port, {
    direct,
    watched,
    gatherHintsMs: options.gatherHintsMs ?? 0,
    onHints: hints => store.tell(hints),
    onDirect: (name, args, result) => followOwn(snapshots, name, args, result),
    onGreeting: () => store.tellAll(),
  })
  const snapshots = new SnapshotCache(connection, options.snapshotBytes, () => writer.changes)
  snapshots.packWith(args => writer.mutate('saveSnapshot', args))
  const reader = new ConnectionReader(connection)
  const chunks = await placeOf(folder, reader, options)
  const store: SqliteStore = new SqliteStore({
    connection,
    reader,
    whenCommitted: section => section(),
    snapshots,
    bodies: new SegmentReader(folder),
    searchIndex: indexOf(chunks),
    log,
    watched,
    mutate: (name, args) => writer.mutate(name, args),
    stageBody: () => new FileStagedBody(folder),
    maintain: () => writer.maintain(),
    async close() {
      chunks?.close()
      await snapshots.packAll()
      await writer.close()
      connection.close()
    },
  })
  return Object.assign(store, { connect: (next: MessagePort) => writer.connect(next) })
}

async function placeOf(
  folder: DataFolder,
  reader: Reader,
  { searchIndex, log = silentLog }: StoreOptions,
): Promise<ChunkPlace | undefined> {
  return searchIndex === true ? chunksInFile(folder.searchIndex, reader, log) : undefined
}
