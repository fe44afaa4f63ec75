// Opens a folder for writing: lock, schema, segments, what a crash left behind.
import { existsSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import { silentLog } from '../../base/log.ts'
import { silentMetrics } from '../../base/metrics.ts'
import { compact } from '../bodies/compact.ts'
import { type DataFolder, makeDataFolder } from '../bodies/data-folder.ts'
import { RedoLog } from '../bodies/redo-log.ts'
import { segmentFileSystem } from '../bodies/segment-files.ts'
import { SegmentWriter, syncFolder } from '../bodies/segment-writer.ts'
import { StoreError } from '../error.ts'
import { fillingSql, unfinished } from '../filling.ts'
import type { StoreOptions } from '../store-options.ts'
import type { BodyLocation, ChangeHint, MaintenanceReport } from '../store.ts'
import { Connection } from './connection.ts'
import { Maintenance } from './maintenance.ts'
import { migrate, nameStore } from './migrate.ts'
import { findStorageError } from './storage-error.ts'
import { lockStore } from './store-lock.ts'
import { WalKeeper } from './wal-keeper.ts'
import { Writer } from './writer.ts'
import { WriterGate } from './writer-gate.ts'

export interface OpenWriter {
  readonly writer: Writer
  /** For threads that make small changes themselves. */
  readonly gate: WriterGate
  /** Such a thread has committed a change of `rows`. */
  committedByOther(rows: number): void
  /** Such a thread could not commit. */
  failedByOther(): void
  /** Removes what nobody needs any more and compacts, as the writer does by itself from time to time. */
  maintain(): Promise<MaintenanceReport>
  /** Lets everything that waits commit, then closes. */
  close(): Promise<void>
}

export interface OpenWriterOptions extends StoreOptions {
  /** Other threads of this process have staged bodies, which must stay. */
  readonly isRestart?: boolean | undefined
  readonly afterBatch?: (() => void) | undefined
}

/** Throws `StoreError`. */
export function openWriter(
  folder: DataFolder,
  options: OpenWriterOptions,
  onCommit: (hints: readonly ChangeHint[]) => void,
): OpenWriter {
  const { clock = systemClock, log = silentLog, metrics = silentMetrics } = options
  try {
    makeDataFolder(folder)
    const lock = lockStore(folder)
    let connection: Connection | undefined
    try {
      const isNew = !existsSync(folder.database)
      connection = new Connection(folder.database, {
        readOnly: false,
        timeoutMs: limits.store.briefMs,
        cacheBytes: limits.store.writerCacheBytes,
      })
      // Of a store that is not new the size stays as it is.
      connection.exec(`PRAGMA page_size = ${limits.store.pageBytes}`)
      const mode = connection.get<{ journal_mode: string }>('PRAGMA journal_mode = WAL')
      if (mode?.journal_mode !== 'wal') {
        throw new StoreError(
          'unavailable',
          `the file system of ${folder.path} has no shared memory for SQLite's log`,
        )
      }
      const gate = new WriterGate()
      const wal = new WalKeeper(connection, folder.database, options.durability ?? 'mail', gate, log)
      migrate(connection, clock.now())
      nameStore(connection)
      if (options.mayBeFilling !== true && connection.get(fillingSql)) throw unfinished()
      skipLostModSeqs(connection)
      if (isNew) syncFolder(folder.path)
      if (options.isRestart !== true) removeStaged(folder)
      const files = options.files ?? segmentFileSystem
      const redoLog = new RedoLog({ connection, folder, files })
      redoLog.redo()
      const bodies = new SegmentWriter(folder, lastBody(connection), redoLog, files)
      const opened = connection
      const writer = new Writer({
        connection,
        bodies,
        wal,
        gate,
        clock,
        log,
        metrics,
        defaultQuota: options.defaultQuota ?? {},
        onCommit,
        afterBatch: options.afterBatch,
      })
      const maintenance = new Maintenance({
        writer,
        connection: opened,
        clock,
        log,
        compact: signal =>
          compact({
            folder,
            connection: opened,
            bodies,
            log,
            move: async args => void (await writer.mutate('moveBodies', args)),
            between: section => writer.between(section),
            signal,
          }),
      })
      wal.openGate()
      return {
        writer,
        gate,
        committedByOther: rows => wal.afterOthersCommit(rows),
        failedByOther: () => wal.syncFailed(),
        maintain: () => maintenance.run(),
        async close() {
          await maintenance.close()
          await writer.close()
          bodies.close()
          gate.close()
          try {
            opened.run(`UPDATE counter SET value = 1 WHERE name = 'closed'`)
            wal.close()
          } finally {
            opened.close()
            lock.release()
          }
        },
      }
    } catch (error) {
      connection?.close()
      lock.release()
      throw error
    }
  } catch (error) {
    throw findStorageError(error) ?? error
  }
}

/** A connection for reading only. It never waits for the writer; the time is for the moment when another process closes the database. */
export function openReader(folder: DataFolder): Connection {
  try {
    return new Connection(folder.database, {
      readOnly: true,
      timeoutMs: 1000,
      cacheBytes: limits.store.readerCacheBytes,
    })
  } catch (error) {
    throw findStorageError(error) ?? error
  }
}

/** More than the commits that are not synced at any time. */
const modSeqGap = 2 ** 20

/**
 * A power cut may have taken the last flag changes (`wal-keeper.ts`), whose modSeqs clients have seen. None of them is given again: a client that
 * asks for what changed since would miss it (RFC 7162 §3.1). After a crash of ours nothing is lost and the gap does no harm.
 */
function skipLostModSeqs(connection: Connection): void {
  const last = connection.get<{ value: number }>(`SELECT value FROM counter WHERE name = 'closed'`)
  connection.exec('BEGIN IMMEDIATE')
  if (last?.value === 0) connection.run('UPDATE account SET mod_seq = mod_seq + ?', modSeqGap)
  connection.run(
    `INSERT INTO counter (name, value) VALUES ('closed', 0) ON CONFLICT (name) DO UPDATE SET value = 0`,
  )
  connection.exec('COMMIT')
}

/** Bodies that were arriving when the last process ended. */
function removeStaged(folder: DataFolder): void {
  for (const name of readdirSync(folder.staging)) unlinkSync(join(folder.staging, name))
}

function lastBody(connection: Connection): BodyLocation | undefined {
  return connection.get<BodyLocation>(
    `SELECT segment, position AS "offset", stored_bytes AS "storedBytes", size_bytes AS "sizeBytes", 0 AS compressed
     FROM blob ORDER BY segment DESC, position DESC LIMIT 1`,
  )
}
