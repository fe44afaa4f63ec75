// Runs the mutations: those of one account one after another, all that wait in one transaction; those of different accounts side by side.
//
// Invariants: a mutation is answered after the commit, with what that transaction answered; it is tried anew only when it is certain that
// it was not committed; when that cannot be found out it is refused as `unavailable`, and says so.
import type { Clock } from '../../base/clock.ts'
import type { AccountId, ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import { StoreError } from '../error.ts'
import type { MutationName } from '../mutations.ts'
import type { ChangeHint, Quota } from '../store.ts'
import type { Statements } from './dialect.ts'
import { type Lane, routeOf } from './lanes.ts'
import type { RowBodies } from './row-bodies.ts'
import { findServerError, isConflict, isEnding } from './server-error.ts'
import { type ExclusiveSessions, pause } from './session-pool.ts'
import { type Call, type Outcome, OutcomeUnknown, runTransaction, wasCommitted } from './transaction.ts'

export interface MutationRunnerParts {
  readonly sessions: ExclusiveSessions
  readonly statements: Statements
  readonly bodies: RowBodies
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly defaultQuota: Quota
  /** Ends all waiting. */
  readonly signal: AbortSignal
  /** Hears of each commit, before those who asked for it do. */
  readonly onCommit: (hints: readonly ChangeHint[]) => void
}

interface Waiting extends Call {
  readonly isAlone: boolean
  readonly settle: (outcome: Outcome) => void
}

export class MutationRunner {
  readonly #parts: MutationRunnerParts
  /** Lanes in which something runs, with what waits behind it. */
  readonly #lanes = new Map<Lane, Waiting[]>()
  #waitingCount = 0
  #isClosed = false
  #onIdle: (() => void) | undefined

  constructor(parts: MutationRunnerParts) {
    this.#parts = parts
  }

  /** Settles after the commit, or rejects with what the mutation threw, or with a `StoreError` of the server. */
  mutate(name: MutationName, args: unknown): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new StoreError('unavailable', 'the store is closed'))
    if (this.#waitingCount >= limits.store.waitingMutations)
      return Promise.reject(new StoreError('unavailable', 'too much waits for the store'))
    const { lane, isAlone } = routeOf(name, args)
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome) => {
        this.#waitingCount--
        if (outcome.kind === 'done') resolve(outcome.result)
        else reject(outcome.error)
      }
      this.#waitingCount++
      const waiting = this.#lanes.get(lane)
      if (waiting) waiting.push({ name, args, isAlone, settle })
      else void this.#runLane(lane, { name, args, isAlone, settle })
    })
  }

  /** Lets everything that waits commit, then refuses more. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#lanes.size === 0) return
    await new Promise<void>(resolve => {
      this.#onIdle = resolve
    })
  }

  async #runLane(lane: Lane, first: Waiting): Promise<void> {
    const waiting = [first]
    this.#lanes.set(lane, waiting)
    // What else is asked for in this turn of the event loop shares the commit.
    await new Promise(setImmediate)
    while (waiting.length > 0) await this.#runBatch(lane, takeBatch(waiting))
    this.#lanes.delete(lane)
    if (this.#lanes.size === 0) this.#onIdle?.()
  }

  async #runBatch(lane: Lane, batch: readonly Waiting[]): Promise<void> {
    const startMs = performance.now()
    let outcomes: readonly Outcome[]
    try {
      outcomes = await this.#tryBatch(lane, batch, startMs + limits.postgres.retryMs)
    } catch (error) {
      this.#refuse(batch, error)
      return
    }
    const { metrics } = this.#parts
    metrics.observe('store_commit_seconds', (performance.now() - startMs) / 1000)
    metrics.count('store_mutations', undefined, batch.length)
    const hints = lastHints(outcomes)
    if (hints.length > 0) this.#parts.onCommit(hints)
    for (const [index, { settle }] of batch.entries()) settle(outcomes[index] as Outcome)
  }

  #refuse(batch: readonly Waiting[], error: unknown): void {
    const { log, metrics } = this.#parts
    const failure =
      findServerError(error) ?? new StoreError('unavailable', 'the transaction failed', { cause: error })
    metrics.count('store_failed_batches', { code: failure.code })
    log.error(
      { err: error instanceof Error ? error : new Error(String(error)), mutations: batch.length },
      'a batch of mutations failed',
    )
    for (const { settle } of batch) settle({ kind: 'refused', error: failure })
  }

  async #tryBatch(lane: Lane, batch: readonly Waiting[], deadline: number): Promise<readonly Outcome[]> {
    const { metrics, signal } = this.#parts
    for (let attempt = 0, conflicts = 0; ; attempt++) {
      try {
        return await this.#runOnce(lane, batch, deadline)
      } catch (error) {
        if (error instanceof OutcomeUnknown) {
          metrics.count('store_unknown_commits')
          if (await this.#wasCommitted(lane, error)) return error.outcomes
        } else if (isConflict(error)) {
          if (++conflicts > limits.postgres.conflicts) throw error
        } else if (!isEnding(error)) throw error
        if (performance.now() >= deadline || signal.aborted) throw error
        metrics.count('store_retried_batches')
        await pause(attempt, signal)
      }
    }
  }

  async #runOnce(lane: Lane, batch: readonly Waiting[], deadline: number): Promise<readonly Outcome[]> {
    const { sessions, clock, statements, bodies, defaultQuota } = this.#parts
    const session = await sessions.take(deadline)
    let isClean = false
    try {
      const parts = { statements, bodies, nowMs: clock.now(), defaultQuota }
      const outcomes = await runTransaction(session, lane, batch, parts)
      isClean = true
      return outcomes
    } catch (error) {
      isClean = !(error instanceof OutcomeUnknown) && isConflict(error)
      throw error
    } finally {
      sessions.release(session, isClean)
    }
  }

  /** Throws `StoreError` `unavailable` when it cannot be found out in time. */
  async #wasCommitted(lane: Lane, { mark, cause }: OutcomeUnknown): Promise<boolean> {
    const { sessions, clock, statements, log, signal } = this.#parts
    const deadline = performance.now() + limits.postgres.unknownMs
    log.warn({ err: cause as Error }, 'asking what became of a commit')
    for (let attempt = 0; ; attempt++) {
      try {
        const session = await sessions.take(deadline)
        let isClean = false
        try {
          const result = await wasCommitted(session, lane, mark, {
            statements,
            nowMs: clock.now(),
          })
          isClean = true
          return result
        } finally {
          sessions.release(session, isClean)
        }
      } catch (error) {
        if (performance.now() >= deadline || signal.aborted) {
          throw new StoreError('unavailable', 'whether the change was made is not known', { cause: error })
        }
        await pause(attempt, signal)
      }
    }
  }
}

/** The next that go together, taken off the front. */
function takeBatch(waiting: Waiting[]): readonly Waiting[] {
  let count = 0
  while (count < waiting.length && count < limits.postgres.batchMutations) {
    if (waiting[count]?.isAlone) break
    count++
  }
  return waiting.splice(0, Math.max(count, 1))
}

/** One hint for each account, the last. */
function lastHints(outcomes: readonly Outcome[]): readonly ChangeHint[] {
  const last = new Map<AccountId, ModSeq>()
  for (const outcome of outcomes) {
    if (outcome.kind !== 'done') continue
    for (const { account, modSeq } of outcome.hints) last.set(account, modSeq)
  }
  return [...last].map(([account, modSeq]) => ({ account, modSeq }))
}
