// Opens a store on PostgreSQL: sessions, schema, news.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import type { ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { type Log, silentLog } from '../../base/log.ts'
import { silentMetrics } from '../../base/metrics.ts'
import { AccountCounts } from '../account-counts.ts'
import { type DataFolder, dataFolder, makeDataFolder } from '../bodies/data-folder.ts'
import { FileStagedBody } from '../bodies/file-staged-body.ts'
import { fillingSql, unfinished } from '../filling.ts'
import { BodyCache } from '../s3/body-cache.ts'
import { S3Client } from '../s3/client.ts'
import { S3Bodies } from '../s3/s3-bodies.ts'
import { Indexer } from '../search/indexer.ts'
import { ChunkedIndex, noSearchIndex } from '../search/search-index.ts'
import type { StoreOptions } from '../store-options.ts'
import type { ChangeHint, SqlValue, Store } from '../store.ts'
import { Watchers } from '../watchers.ts'
import { TableBodies } from './bodies.ts'
import { ChunkTables, ChunkTablesWriter } from './chunk-tables.ts'
import { type Statement, Statements } from './dialect.ts'
import { MaildropLeases } from './maildrop-leases.ts'
import { Maintenance } from './maintenance.ts'
import { migrate } from './migrate.ts'
import { MutationRunner } from './mutation-runner.ts'
import type { News, NewsEvents } from './news.ts'
import { NewsOverPort } from './news-over-port.ts'
import { Notifications } from './notifications.ts'
import { ObjectBodies } from './object-bodies.ts'
import type { BucketPlace, PostgresPlace } from './place.ts'
import { PoolReader } from './pool-reader.ts'
import { PostgresStore } from './postgres-store.ts'
import { findServerError } from './server-error.ts'
import { ExclusiveSessions, retryBefore, SessionOpener, SharedSessions } from './session-pool.ts'
import { PostgresSnapshots } from './snapshots.ts'
import { Sweeper } from './sweeper.ts'
import { parseTarget } from './target.ts'

/** Throws `StoreError`. */
export async function openPostgres(place: PostgresPlace, options: StoreOptions = {}): Promise<Store> {
  const { clock = systemClock, log = silentLog, metrics = silentMetrics } = options
  const ending = new AbortController()
  const { signal } = ending
  const opener = new SessionOpener({ targets: parseTarget(place.url, place.tls), log })
  const readers = new SharedSessions(opener, place.readSessions ?? 2, signal)
  const writers = new ExclusiveSessions(opener, place.writeSessions ?? 4, signal)
  const statements = new Statements()
  const reader = new PoolReader(readers, statements, signal)
  const staging = stagingFolder(place.dataDir)
  const tables = new TableBodies(staging.folder, reader)
  const { bucket } = place
  const client = bucket && new S3Client(bucket, { metrics })
  const bodies =
    bucket && client
      ? new ObjectBodies(openBucket(bucket, client, staging.folder, log), tables, reader)
      : tables
  const watched = new AccountCounts()
  const watchers = new Watchers(log, watched)
  const hearers: ((word: string) => void)[] = []
  let indexer: Indexer | undefined
  const events: NewsEvents = {
    onHints: hints => watchers.tell(hints),
    onWord(word) {
      for (const hear of hearers) hear(word)
    },
    onGap() {
      watchers.tellAll()
      indexer?.lookAtAll()
    },
  }
  const news: News = place.news
    ? new NewsOverPort(place.news, { watched, gatherHintsMs: options.gatherHintsMs ?? 0, ...events })
    : new Notifications({ opener, statements, log, signal, ...events })
  const closeSessions = async () => {
    ending.abort()
    await news.close()
    await Promise.all([readers.close(), writers.close(), bodies.close()])
    staging.remove()
  }
  try {
    const deadline = performance.now() + limits.postgres.retryMs
    // Both may be done anew when a session ends on the way, whatever it had done.
    await retryBefore(deadline, signal, async () => {
      const session = await writers.take(deadline)
      try {
        await migrate(session, clock.now())
      } finally {
        writers.release(session, true)
      }
    })
    if (options.mayBeFilling !== true && (await reader.get(fillingSql))) throw unfinished()
    await news.start(deadline)
  } catch (error) {
    await closeSessions()
    throw findServerError(error) ?? error
  }
  const tell = (hints: readonly ChangeHint[]) => {
    watchers.tell(hints)
    news.tell(hints)
  }
  const runner = new MutationRunner({
    sessions: writers,
    statements,
    bodies,
    clock,
    log,
    metrics,
    defaultQuota: options.defaultQuota ?? {},
    signal,
    onCommit: hints => tell(hints),
  })
  const maintenance = new Maintenance({
    opener,
    reader,
    statements,
    clock,
    log,
    signal,
    mutate: (name, args) => runner.mutate(name, args),
  })
  const sweeper = client && new Sweeper({ client, opener, reader, clock, log, signal })
  if (place.maintains === true) {
    maintenance.start()
    sweeper?.start()
  }
  const maildrops = new MaildropLeases({ reader, clock, log })
  const store = new PostgresStore({
    reader,
    runner,
    snapshots: new PostgresSnapshots(
      reader,
      args => runner.mutate('saveSnapshot', args),
      options.snapshotBytes,
    ),
    bodies,
    watchers,
    searchIndex:
      options.searchIndex === true
        ? new ChunkedIndex(
            new ChunkTables({
              reader,
              log,
              write: (sql, ...params) => writeOnce(writers, statements.get(sql), params),
              onDamage: account => tell([{ account, modSeq: 0 as ModSeq }]),
            }),
          )
        : noSearchIndex,
    nodes: {
      maildrops,
      tell: word => news.say(word),
      hear: listener => hearers.push(listener),
    },
    stageBody: () => new FileStagedBody(staging.folder),
    async maintain() {
      const report = await maintenance.run()
      await indexer?.run()
      return report
    },
    async close() {
      // It begins nothing more, and what it is at ends with the signal.
      const indexed = indexer?.close()
      await maildrops.close()
      ending.abort()
      await indexed
      await maintenance.close()
      await sweeper?.close()
      await closeSessions()
    },
  })
  if (options.searchIndex === true && (place.fillsIndex ?? place.maintains) === true) {
    const filling = new Indexer({
      store,
      open: () => ChunkTablesWriter.open(opener, statements),
      log,
      metrics,
    })
    watchers.watchAll(hints => filling.tell(hints))
    indexer = filling
  }
  return store
}

/** One statement as a transaction of its own. Throws what the session throws. */
async function writeOnce(
  writers: ExclusiveSessions,
  statement: Statement,
  params: readonly SqlValue[],
): Promise<void> {
  const session = await writers.take(performance.now() + limits.postgres.retryMs)
  try {
    await session.query(statement, params)
  } finally {
    writers.release(session, true)
  }
}

function openBucket({ cacheBytes }: BucketPlace, client: S3Client, folder: DataFolder, log: Log): S3Bodies {
  return new S3Bodies({ client, cache: new BodyCache(join(folder.path, 'cache'), cacheBytes, log), folder })
}

function stagingFolder(dataDir: string | undefined): { readonly folder: DataFolder; remove(): void } {
  const path = dataDir ?? mkdtempSync(join(tmpdir(), 'restante-'))
  const folder = dataFolder(path)
  makeDataFolder(folder)
  return {
    folder,
    remove() {
      if (dataDir === undefined) rmSync(path, { recursive: true, force: true })
    },
  }
}
