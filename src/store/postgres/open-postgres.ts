// Opens a store on PostgreSQL: sessions, schema, notifications.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import { silentLog } from '../../base/log.ts'
import { silentMetrics } from '../../base/metrics.ts'
import { type DataFolder, dataFolder, makeDataFolder } from '../bodies/data-folder.ts'
import { FileStagedBody } from '../bodies/file-staged-body.ts'
import { fillingSql, unfinished } from '../filling.ts'
import type { StoreOptions } from '../store-options.ts'
import type { Store } from '../store.ts'
import { Watchers } from '../watchers.ts'
import { TableBodies } from './bodies.ts'
import { Statements } from './dialect.ts'
import { Maintenance } from './maintenance.ts'
import { migrate } from './migrate.ts'
import { MutationRunner } from './mutation-runner.ts'
import { Notifications } from './notifications.ts'
import { PoolReader } from './pool-reader.ts'
import { PostgresStore } from './postgres-store.ts'
import { findServerError } from './server-error.ts'
import { ExclusiveSessions, SessionOpener, SharedSessions } from './session-pool.ts'
import { PostgresSnapshots } from './snapshots.ts'
import { type DatabaseTls, parseTarget } from './target.ts'

export interface PostgresPlace {
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; several hosts with commas between. */
  readonly url: string
  readonly tls?: DatabaseTls | undefined
  /** Sessions that reads share. */
  readonly readSessions?: number | undefined
  /** Transactions at a time. */
  readonly writeSessions?: number | undefined
  /** A folder for bodies that are arriving; a temporary one by default. */
  readonly dataDir?: string | undefined
  /** Whether this store removes what is due by itself from time to time; one at a time does, of those that may. */
  readonly maintains?: boolean | undefined
}

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
  const bodies = new TableBodies(staging.folder, reader)
  const watchers = new Watchers(log)
  const notifications = new Notifications({
    opener,
    statements,
    log,
    signal,
    onHints: hints => watchers.tell(hints),
    onGap: () => watchers.tellAll(),
  })
  const closeSessions = async () => {
    ending.abort()
    await notifications.close()
    await Promise.all([readers.close(), writers.close()])
    staging.remove()
  }
  try {
    const session = await writers.take(performance.now() + limits.postgres.retryMs)
    try {
      await migrate(session, clock.now())
    } finally {
      writers.release(session, true)
    }
    if (options.mayBeFilling !== true && (await reader.get(fillingSql))) throw unfinished()
    await notifications.start()
  } catch (error) {
    await closeSessions()
    throw findServerError(error) ?? error
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
    onCommit(hints) {
      watchers.tell(hints)
      notifications.tell(hints)
    },
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
  if (place.maintains === true) maintenance.start()
  return new PostgresStore({
    reader,
    runner,
    snapshots: new PostgresSnapshots(
      reader,
      args => runner.mutate('saveSnapshot', args),
      options.snapshotBytes,
    ),
    bodies,
    watchers,
    maintenance,
    stageBody: () => new FileStagedBody(staging.folder),
    async close() {
      ending.abort()
      await maintenance.close()
      await closeSessions()
    },
  })
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
