// Runs the mutations: one after another, all that wait in one transaction, answered when it is durable.
//
// A transaction is tried without a savepoint for each mutation, which are a tenth of a small one's time; where one is refused, all of it is undone and
// done again with them.
//
// Invariants: at most one transaction is open; a mutation sees the ones before it; nothing is answered before the commit;
// a refused mutation leaves nothing behind; a failure of the disk fails the whole batch and later batches try again.
import type { AccountId, ModSeq } from '../../base/ids.ts'
import type { Clock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { BodySink } from '../bodies/body-sink.ts'
import { StoreError } from '../error.ts'
import { gather, isRelaxed, type MutationCall, type MutationName, mutationOf } from '../mutations.ts'
import type { ChangeHint, Quota } from '../store.ts'
import type { Connection } from './connection.ts'
import { findStorageError } from './storage-error.ts'
import { SqliteTx } from './tx.ts'
import type { WalKeeper } from './wal-keeper.ts'
import type { WriterGate } from './writer-gate.ts'

export interface WriterOptions {
  readonly connection: Connection
  readonly bodies: BodySink
  /** Undefined for a store in memory, which has no log to sync. */
  readonly wal: WalKeeper | undefined
  /** Keeps other threads out while something waits here. */
  readonly gate?: WriterGate | undefined
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly defaultQuota: Quota
  /** Hears of each commit, before those who asked for it do. */
  readonly onCommit: (hints: readonly ChangeHint[]) => void
  /** Called when all of a batch have their outcome, before the writer does anything else. */
  readonly afterBatch?: (() => void) | undefined
}

/** How a mutation ended. */
export type Outcome =
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'refused'; readonly error: unknown }

/** A mutation of the transaction under way. */
interface Entry {
  readonly waiting: Waiting
  outcome: Outcome
}

interface Waiting extends MutationCall {
  readonly settle: (outcome: Outcome) => void
}

export class Writer {
  readonly #options: WriterOptions
  readonly #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #transaction: Promise<void> | undefined
  #isClosed = false

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** Settles after the commit, or rejects with what the mutation threw, or with a `StoreError` of the disk. */
  mutate(name: MutationName, args: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.submit(name, args, outcome => {
        if (outcome.kind === 'done') resolve(outcome.result)
        else reject(outcome.error)
      })
    })
  }

  /** Like `mutate`, with a function that hears the outcome. */
  submit(name: MutationName, args: unknown, settle: (outcome: Outcome) => void): void {
    if (this.#isClosed) {
      settle({ kind: 'refused', error: new StoreError('unavailable', 'the store is closed') })
      return
    }
    if (this.#waiting.length >= limits.store.waitingMutations) {
      settle({ kind: 'refused', error: new StoreError('unavailable', 'too much waits for the store') })
      return
    }
    this.#waiting.push({ name, args, settle })
    this.#options.gate?.wait(1)
    this.#running ??= this.#run()
  }

  /** Settles when the transaction that is open now has ended; undefined when none is. */
  get transaction(): Promise<void> | undefined {
    return this.#transaction
  }

  /** Runs `section`, synchronous, when no transaction is open, before the mutations that wait. */
  async between<T>(section: () => T): Promise<T> {
    while (this.#transaction) await this.#transaction
    return section()
  }

  /** Lets everything that waits commit, then refuses more. */
  async close(): Promise<void> {
    this.#isClosed = true
    while (this.#running) await this.#running
  }

  async #run(): Promise<void> {
    try {
      // What else is asked for in this turn of the event loop shares the commit.
      await new Promise(setImmediate)
      while (this.#waiting.length > 0) {
        this.#transaction = this.#runBatch()
        await this.#transaction
        this.#transaction = undefined
        // Lets what arrived meanwhile join the next batch, and others use the thread.
        if (this.#waiting.length > 0) await new Promise(setImmediate)
      }
    } finally {
      this.#running = undefined
    }
  }

  async #runBatch(): Promise<void> {
    const { connection, bodies, wal, metrics } = this.#options
    const startMs = performance.now()
    const batch: Entry[] = []
    const hints = new Map<AccountId, ModSeq>()
    let isCommitting = false
    const candidates = this.#waiting.splice(0, limits.store.batchMutations)
    /** What there was no room or no time for goes back to the front. */
    const putBack = () => void this.#waiting.unshift(...candidates.slice(batch.length))
    try {
      // Whether the commit must be synced is known before it begins: SQLite takes the setting between transactions only.
      wal?.beforeTransaction(candidates.every(waiting => isRelaxed(waiting.name)))
      connection.run('BEGIN IMMEDIATE')
      if (!(await this.#runTogether(candidates, batch, hints))) {
        if (connection.isTransaction) connection.run('ROLLBACK')
        bodies.rollBackTo(0)
        hints.clear()
        batch.length = 0
        connection.run('BEGIN IMMEDIATE')
        await this.#runEach(candidates, batch, hints)
      }
      bodies.flush()
      isCommitting = true
      connection.run('COMMIT')
      bodies.committed()
      putBack()
    } catch (error) {
      putBack()
      this.#abandon(error, batch, isCommitting)
      return
    }
    metrics.observe('store_commit_seconds', (performance.now() - startMs) / 1000)
    metrics.count('store_mutations', undefined, batch.length)
    if (hints.size > 0) {
      this.#options.onCommit([...hints].map(([account, modSeq]) => ({ account, modSeq })))
    }
    this.#options.gate?.wait(-batch.length)
    for (const { waiting, outcome } of batch) waiting.settle(outcome)
    this.#options.afterBatch?.()
    try {
      wal?.afterCommit()
    } catch (error) {
      // The commit stands; the log is moved into the database at the next chance.
      this.#options.log.warn({ err: asError(error) }, 'checkpoint failed')
    }
  }

  /** False when one was refused: what the others did does not count either. */
  async #runTogether(
    candidates: readonly Waiting[],
    batch: Entry[],
    hints: Map<AccountId, ModSeq>,
  ): Promise<boolean> {
    const { bodies } = this.#options
    const tx = this.#newTx(true)
    while (batch.length < candidates.length && bodies.pendingBytes <= limits.store.batchBytes) {
      const gathered = gather(candidates, batch.length)
      const from = batch.length
      const entries = candidates.slice(from, from + (gathered?.count ?? 1)).map(entryOf)
      // The array is filled before the mutation runs, so that a failure of the disk answers it too.
      batch.push(...entries)
      tx.begin()
      try {
        const { name, args } = gathered ?? (candidates[from] as Waiting)
        const result = await mutationOf(name)(tx, args)
        const results = gathered?.split(result) ?? [result]
        for (const [at, entry] of entries.entries()) entry.outcome = { kind: 'done', result: results[at] }
        for (const { account, modSeq } of tx.end()) hints.set(account, modSeq)
      } catch (error) {
        tx.end()
        if (findStorageError(error)) throw error
        return false
      }
    }
    return true
  }

  /** One after another, so that a refused one is undone alone. */
  async #runEach(
    candidates: readonly Waiting[],
    batch: Entry[],
    hints: Map<AccountId, ModSeq>,
  ): Promise<void> {
    const { bodies } = this.#options
    const tx = this.#newTx(false)
    for (const waiting of candidates) {
      const entry = entryOf(waiting)
      batch.push(entry)
      entry.outcome = await this.#runOne(tx, waiting, hints)
      if (bodies.pendingBytes > limits.store.batchBytes) break
    }
  }

  #newTx(isTentative: boolean): SqliteTx {
    const { connection, bodies, clock, defaultQuota } = this.#options
    return new SqliteTx(connection, bodies, clock.now(), defaultQuota, isTentative)
  }

  async #runOne(tx: SqliteTx, waiting: Waiting, hints: Map<AccountId, ModSeq>): Promise<Outcome> {
    const { connection, bodies } = this.#options
    const mark = bodies.mark()
    connection.run('SAVEPOINT mutation')
    tx.begin()
    try {
      const result = await mutationOf(waiting.name)(tx, waiting.args)
      connection.run('RELEASE mutation')
      for (const { account, modSeq } of tx.end()) hints.set(account, modSeq)
      return { kind: 'done', result }
    } catch (error) {
      tx.end()
      // A failure of the disk is everyone's; anything else is this mutation's alone.
      if (findStorageError(error)) throw error
      connection.run('ROLLBACK TO mutation')
      connection.run('RELEASE mutation')
      bodies.rollBackTo(mark)
      return { kind: 'refused', error }
    }
  }

  #abandon(error: unknown, batch: readonly { readonly waiting: Waiting }[], wasCommitting: boolean): void {
    const { connection, bodies, wal, log, metrics } = this.#options
    const failure =
      findStorageError(error) ?? new StoreError('unavailable', 'the transaction failed', { cause: error })
    const mayStand = wasCommitting && failure.code !== 'disk-full'
    try {
      if (connection.isTransaction) connection.run('ROLLBACK')
      // A commit whose sync failed lies whole in the log until the next one is written over it: after a crash now SQLite would find it there, and
      // its bodies have to be there too.
      if (mayStand) {
        wal?.syncFailed()
        bodies.committed()
      } else bodies.abandoned()
    } catch (second) {
      log.error({ err: asError(second) }, 'rolling back failed')
    }
    metrics.count('store_failed_batches', { code: failure.code })
    log.error(
      { err: asError(error), code: failure.code, mutations: batch.length },
      'a batch of mutations failed',
    )
    // Where the transaction could not even begin, what waits fails too, rather than be tried for ever.
    const failed = batch.length > 0 ? batch.map(entry => entry.waiting) : this.#waiting.splice(0)
    this.#options.gate?.wait(-failed.length)
    for (const waiting of failed) waiting.settle({ kind: 'refused', error: failure })
    this.#options.afterBatch?.()
  }
}

function entryOf(waiting: Waiting): Entry {
  return { waiting, outcome: { kind: 'refused', error: undefined } }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
