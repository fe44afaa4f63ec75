// Small changes that need no sync, made by the thread that asks for them while the writer has nothing to do: on a quiet server the way to the
// writer's thread and back takes longer than the change.
//
// Invariants: SQLite's lock sees to it that there is one transaction at a time; whatever waits for the writer goes first; no change is made over a
// log that the writer does not trust, which is looked at with the lock held; what fails here for want of the disk is left to the writer.
import type { Clock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { BodySink } from '../bodies/body-sink.ts'
import { type MutationName, mutationOf } from '../mutations.ts'
import type { ChangeHint, Quota } from '../store.ts'
import { Connection } from './connection.ts'
import { findStorageError } from './storage-error.ts'
import { SqliteTx } from './tx.ts'
import type { Outcome } from './writer.ts'
import type { WriterGate } from './writer-gate.ts'

export interface DirectWriterOptions {
  /** The database. */
  readonly path: string
  readonly clock: Clock
  readonly metrics: Metrics
  readonly defaultQuota: Quota
}

export type DirectOutcome =
  /** Nothing was done: ask the writer. */
  | { readonly kind: 'busy' }
  /** Nothing was done, and the log may have suffered. */
  | { readonly kind: 'failed' }
  /** Committed, or refused; the writer has to hear of `rows` that were changed, and those who watch of `hints`. */
  | {
      readonly kind: 'ran'
      readonly outcome: Outcome
      readonly rows: number
      readonly hints: readonly ChangeHint[]
    }

const busy: DirectOutcome = { kind: 'busy' }
const failed: DirectOutcome = { kind: 'failed' }

export class DirectWriter {
  readonly #options: DirectWriterOptions
  #connection: Connection | undefined

  constructor(options: DirectWriterOptions) {
    this.#options = options
  }

  /** Runs one brief mutation (`isBrief`), in this turn of the event loop, unless the writer has something to do. */
  async run(gate: WriterGate, name: MutationName, args: unknown): Promise<DirectOutcome> {
    if (!gate.isFree || this.#connection?.isTransaction) return busy
    const { clock, metrics, defaultQuota } = this.#options
    const startMs = performance.now()
    let connection: Connection
    try {
      connection = this.#connection ??= this.#connect()
      connection.run('BEGIN IMMEDIATE')
    } catch (error) {
      if (findStorageError(error)) return busy
      throw error
    }
    const rowsBefore = connection.changedRows
    const tx = new SqliteTx(connection, noBodies, clock.now(), defaultQuota)
    tx.begin()
    try {
      if (!gate.isFree) {
        connection.run('ROLLBACK')
        return busy
      }
      const result = await mutationOf(name)(tx, args)
      const hints = tx.end()
      connection.run('COMMIT')
      metrics.observe('store_commit_seconds', (performance.now() - startMs) / 1000)
      metrics.count('store_mutations')
      return {
        kind: 'ran',
        outcome: { kind: 'done', result },
        rows: connection.changedRows - rowsBefore,
        hints,
      }
    } catch (error) {
      tx.end()
      if (connection.isTransaction) connection.run('ROLLBACK')
      if (findStorageError(error)) return failed
      return { kind: 'ran', outcome: { kind: 'refused', error }, rows: 0, hints: [] }
    }
  }

  close(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  #connect(): Connection {
    const connection = new Connection(this.#options.path, {
      readOnly: false,
      timeoutMs: 0,
      cacheBytes: limits.store.readerCacheBytes,
    })
    // The log is synced within a second and moved into the database by the writer (`wal-keeper.ts`).
    connection.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL')
    return connection
  }
}

/** Bodies are the writer's alone. */
const noBodies: BodySink = {
  pendingBytes: 0,
  locate() {
    throw new Error('a brief mutation has no bodies')
  },
  mark: () => 0,
  rollBackTo() {},
  flush() {},
  committed() {},
  abandoned() {},
  forgetRecent() {},
  close() {},
}
