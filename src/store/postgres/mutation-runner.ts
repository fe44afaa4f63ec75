// Runs the mutations: those of one account one after another, all that wait in one transaction; those of different accounts side by side, short ones of
// many accounts in one transaction, because a commit, and to wait for the server, cost more than the mutation.
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
import type { Session } from './session.ts'
import { runTogether } from './shared-transaction.ts'
import {
  type Call,
  type Outcome,
  OutcomeUnknown,
  runTransaction,
  type TransactionParts,
  wasCommitted,
} from './transaction.ts'

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
  readonly isShort: boolean
  readonly settle: (outcome: Outcome) => void
}

/** A lane whose turn it is, with what waits in it, until its short mutations have run. */
interface Joining {
  readonly lane: AccountId
  readonly waiting: Waiting[]
  readonly done: () => void
}

/** What one account has in a transaction that it shares. */
interface Share {
  readonly lane: AccountId
  readonly calls: readonly Waiting[]
  readonly done: () => void
}

export class MutationRunner {
  readonly #parts: MutationRunnerParts
  /** Lanes in which something runs, with what waits behind it. */
  readonly #lanes = new Map<Lane, Waiting[]>()
  /** Lanes that will share the next transaction. */
  readonly #joining: Joining[] = []
  #groups = 0
  #isGathering = false
  /** Until when the mutations of accounts that were refused in a shared transaction have their own. */
  readonly #apart = new Map<AccountId, number>()
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
    const { lane, isAlone, isShort } = routeOf(name, args)
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome) => {
        this.#waitingCount--
        if (outcome.kind === 'done') resolve(outcome.result)
        else reject(outcome.error)
      }
      this.#waitingCount++
      const waiting = this.#lanes.get(lane)
      const call = { name, args, isAlone, isShort, settle }
      if (waiting) waiting.push(call)
      else void this.#runLane(lane, call)
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
    if (!first.isShort) await endOfTurn()
    while (waiting.length > 0) {
      if (waiting[0]?.isShort && this.#mayShare(lane)) await this.#join(lane, waiting)
      else await this.#runBatch(lane, takeBatch(waiting), performance.now())
    }
    this.#lanes.delete(lane)
    if (this.#lanes.size === 0) this.#onIdle?.()
  }

  #mayShare(lane: Lane): lane is AccountId {
    if (typeof lane !== 'number') return false
    const until = this.#apart.get(lane)
    if (until === undefined) return true
    if (performance.now() < until) return false
    this.#apart.delete(lane)
    return true
  }

  /** Settles when the lane's short mutations have run with those of others. */
  #join(lane: AccountId, waiting: Waiting[]): Promise<void> {
    return new Promise(done => {
      this.#joining.push({ lane, waiting, done })
      void this.#gather()
    })
  }

  async #gather(): Promise<void> {
    if (this.#isGathering || this.#groups >= limits.postgres.groups) return
    this.#isGathering = true
    await endOfTurn()
    this.#isGathering = false
    const shares = this.#joining
      .splice(0, limits.postgres.groupAccounts)
      .map(({ lane, waiting, done }) => ({ lane, calls: takeBatch(waiting, call => call.isShort), done }))
      .sort((a, b) => a.lane - b.lane)
    if (shares.length === 0) return
    this.#groups++
    const startMs = performance.now()
    const isSettled = await this.#runShares(shares, startMs)
    this.#groups--
    for (const share of shares) {
      if (isSettled) share.done()
      else void this.#runApart(share, startMs)
    }
    void this.#gather()
  }

  /** Whoever waits for a lock here holds up nobody else. */
  async #runApart({ lane, calls, done }: Share, startMs: number): Promise<void> {
    await this.#runBatch(lane, calls, startMs)
    done()
  }

  /** Whether all have their outcome; otherwise nothing has changed, and each account's mutations are to be tried apart. */
  async #runShares(shares: readonly Share[], startMs: number): Promise<boolean> {
    const calls = shares.flatMap(share => share.calls)
    try {
      const outcomes = await this.#tryTogether(shares, startMs + limits.postgres.retryMs)
      if (!outcomes) return false
      this.#settle(calls, outcomes, startMs)
    } catch (error) {
      this.#refuse(calls, error)
    }
    return true
  }

  /** Undefined when nothing has changed. Throws `StoreError` when that is not known. */
  async #tryTogether(shares: readonly Share[], deadline: number): Promise<readonly Outcome[] | undefined> {
    const { metrics } = this.#parts
    try {
      const end = await this.#withSession(deadline, (session, parts) => runTogether(session, shares, parts))
      if (end.kind === 'committed') return end.outcomes
      for (const lane of end.refused) this.#keepApart(lane)
    } catch (error) {
      if (error instanceof OutcomeUnknown) {
        metrics.count('store_unknown_commits')
        if (await this.#wasCommitted(shares[0]?.lane ?? 'directory', error)) return error.outcomes
      }
    }
    metrics.count('store_retried_batches')
    return undefined
  }

  #keepApart(lane: AccountId): void {
    if (this.#apart.size >= limits.postgres.apartAccounts) this.#apart.clear()
    this.#apart.set(lane, performance.now() + limits.postgres.apartMs)
  }

  async #runBatch(lane: Lane, batch: readonly Waiting[], startMs: number): Promise<void> {
    let outcomes: readonly Outcome[]
    try {
      outcomes = await this.#tryBatch(lane, batch, startMs + limits.postgres.retryMs)
    } catch (error) {
      this.#refuse(batch, error)
      return
    }
    this.#settle(batch, outcomes, startMs)
  }

  #settle(batch: readonly Waiting[], outcomes: readonly Outcome[], startMs: number): void {
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
        return await this.#withSession(deadline, (session, parts) =>
          runTransaction(session, lane, batch, parts),
        )
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

  async #withSession<T>(
    deadline: number,
    run: (session: Session, parts: TransactionParts) => Promise<T>,
  ): Promise<T> {
    const { sessions, clock, statements, bodies, defaultQuota } = this.#parts
    const session = await sessions.take(deadline)
    let isClean = false
    try {
      const result = await run(session, { statements, bodies, nowMs: clock.now(), defaultQuota })
      isClean = true
      return result
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

/** What else is asked for in this turn of the event loop shares the commit. */
function endOfTurn(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve)
  })
}

/** The next that go together, taken off the front: the first, and what is like it. */
function takeBatch(
  waiting: Waiting[],
  isLike: (call: Waiting) => boolean = call => !call.isAlone,
): readonly Waiting[] {
  let count = 0
  while (count < waiting.length && count < limits.postgres.batchMutations) {
    if (!isLike(waiting[count] as Waiting)) break
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
