// The sessions of one store: some that are shared by all who read, some that each serve one transaction at a time.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../base/log.ts'
import { StoreError } from '../error.ts'
import { findServerError, isEnding } from './server-error.ts'
import { Session, type SessionEvents, type SessionTarget } from './session.ts'

export interface PoolOptions {
  /** In the order in which they are tried. */
  readonly targets: readonly SessionTarget[]
  readonly log: Log
}

/** Opens sessions with the server that can write. */
export class SessionOpener {
  readonly #options: PoolOptions
  /** The target that answered last. */
  #first = 0

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Tries each target once. Throws what the last one failed with. */
  async open(events?: SessionEvents): Promise<Session> {
    const { targets } = this.#options
    let failure: unknown
    for (let index = 0; index < targets.length; index++) {
      const at = (this.#first + index) % targets.length
      try {
        const session = await Session.open(targets[at] as SessionTarget, events)
        if (await canWrite(session)) {
          this.#first = at
          return session
        }
        failure = new StoreError('unavailable', 'the database is a standby, which cannot be written')
        void session.close()
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  /** Tries again and again, with growing pauses, until `deadline` (of `performance.now()`). Throws `StoreError`. */
  async openBefore(deadline: number, signal: AbortSignal, events?: SessionEvents): Promise<Session> {
    let isTold = false
    try {
      return await retryBefore(
        deadline,
        signal,
        () => this.open(events),
        error => {
          const failure = findServerError(error)
          if (failure?.code !== 'unavailable') return false
          if (!isTold) this.#options.log.warn({ err: failure }, 'the database cannot be reached')
          isTold = true
          return true
        },
      )
    } catch (error) {
      throw findServerError(error) ?? error
    }
  }
}

/** Runs `action` again, with growing pauses, while `isPassing` says that what it threw may pass (by default, that its session ended), until `deadline` (of `performance.now()`). */
export async function retryBefore<T>(
  deadline: number,
  signal: AbortSignal,
  action: () => Promise<T>,
  isPassing: (error: unknown) => boolean = isEnding,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await action()
    } catch (error) {
      if (!isPassing(error) || signal.aborted || performance.now() >= deadline) throw error
      await pause(attempt, signal)
    }
  }
}

/** A pause that grows with the attempt, unlike any other's. */
export async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(1000, 5 * 2 ** attempt) * (0.5 + Math.random())
  // Ends early when the store closes.
  await sleep(ms, undefined, { signal }).catch(() => {})
}

async function canWrite(session: Session): Promise<boolean> {
  const { rows } = await session.exec(
    `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS standby`,
  )
  return Number(rows[0]?.['standby']) === 0
}

/** Sessions that many statements share: each goes to the one with the fewest that wait. */
export class SharedSessions {
  readonly #opener: SessionOpener
  readonly #slots: (Session | Promise<Session> | undefined)[]
  readonly #signal: AbortSignal

  constructor(opener: SessionOpener, count: number, signal: AbortSignal) {
    this.#opener = opener
    this.#slots = Array.from({ length: count }, () => undefined)
    this.#signal = signal
  }

  /** Throws `StoreError`. */
  async pick(deadline: number): Promise<Session> {
    let best: Session | undefined
    let free = -1
    for (const [index, slot] of this.#slots.entries()) {
      if (slot instanceof Session && !slot.isEnded) {
        if (!best || slot.pending < best.pending) best = slot
      } else if (!(slot instanceof Promise)) free = index
    }
    if (best && (best.pending === 0 || free < 0)) return best
    if (free >= 0) {
      const opening = this.#open(free, deadline)
      // Another session serves meanwhile; its failure is its own.
      if (best) opening.catch(() => {})
      return best ?? opening
    }
    // All are being opened.
    return this.#slots.find(slot => slot instanceof Promise) as Promise<Session>
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#slots.map(async slot => {
        const session = await Promise.resolve(slot).catch(() => undefined)
        await session?.close()
      }),
    )
  }

  #open(index: number, deadline: number): Promise<Session> {
    const opening = this.#opener.openBefore(deadline, this.#signal).then(
      session => {
        this.#slots[index] = session
        return session
      },
      (error: unknown) => {
        this.#slots[index] = undefined
        throw error
      },
    )
    this.#slots[index] = opening
    return opening
  }
}

/** Sessions for transactions: one holder at a time, first come, first served. */
export class ExclusiveSessions {
  readonly #opener: SessionOpener
  readonly #idle: Session[] = []
  readonly #waiting: (() => void)[] = []
  readonly #signal: AbortSignal
  #free: number

  constructor(opener: SessionOpener, count: number, signal: AbortSignal) {
    this.#opener = opener
    this.#free = count
    this.#signal = signal
  }

  /** Give it back with `release`. Throws `StoreError`. */
  async take(deadline: number): Promise<Session> {
    if (this.#free > 0) this.#free--
    else
      await new Promise<void>(resolve => {
        this.#waiting.push(resolve)
      })
    try {
      for (;;) {
        const session = this.#idle.pop()
        if (!session) return await this.#opener.openBefore(deadline, this.#signal)
        if (!session.isEnded) return session
      }
    } catch (error) {
      this.#next()
      throw error
    }
  }

  /** `isClean`: no transaction is open. */
  release(session: Session, isClean: boolean): void {
    if (isClean && !session.isEnded) this.#idle.push(session)
    else session.destroy()
    this.#next()
  }

  /** Ends the idle ones, of which there may be many after a failover. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(session => session.close()))
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
