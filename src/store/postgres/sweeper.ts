// Sweeps the bucket once a day, on whichever node comes first: it holds a lock of the server's as long as its session lives.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { S3Client } from '../s3/client.ts'
import { objectName, type ObjectNumbers } from '../s3/object-name.ts'
import { sweep, type SweepReport } from '../s3/sweep.ts'
import type { Reader } from '../store.ts'
import { inTables } from './bodies.ts'
import type { SessionOpener } from './session-pool.ts'
import type { Session } from './session.ts'

export interface SweeperParts {
  readonly client: S3Client
  readonly opener: SessionOpener
  readonly reader: Reader
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Names the lock of the node that sweeps. */
const sweepLock = 0x7265_7377
/** The counter that says when the last whole run ended. */
const sweptAt = 'bodies-swept'
/** Objects that one question is about: its text is always the same. */
const askedAtOnce = 100

export class Sweeper {
  readonly #parts: SweeperParts
  #running: Promise<unknown> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(parts: SweeperParts) {
    this.#parts = parts
  }

  /** From now on by itself. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.run()
        .catch((error: unknown) => {
          if (!this.#parts.signal.aborted)
            this.#parts.log.warn({ err: error as Error }, 'the sweep of the bucket failed; it is tried again')
        })
        .finally(() => {
          this.#running = undefined
        })
    }, limits.s3.sweepCheckMs).unref()
  }

  /** Sweeps if it is due and no other node is at it; undefined when it is not. */
  async run(): Promise<SweepReport | undefined> {
    const { opener, reader, clock, signal } = this.#parts
    const last = await reader.get<{ value: number }>('SELECT value FROM counter WHERE name = ?', sweptAt)
    if (last && clock.now() - last.value < limits.s3.sweepMs) return undefined
    const session = await opener.open()
    try {
      const { rows } = await session.exec(`SELECT pg_try_advisory_lock(${sweepLock}) AS taken`)
      if (Number(rows[0]?.['taken']) !== 1) return undefined
      const report = await sweep({
        client: this.#parts.client,
        log: this.#parts.log,
        signal,
        findUsed: numbers => this.#findUsed(session, numbers),
        // The lock goes with the session, which its server may have ended.
        mayGoOn: () => session.exec('SELECT 1').then(() => !signal.aborted),
      })
      if (!signal.aborted) await this.#note(session)
      return report
    } finally {
      await session.close()
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.race([this.#running, sleep(limits.postgres.closeMs, undefined, { ref: false })])
  }

  async #note(session: Session): Promise<void> {
    await session.exec(
      `INSERT INTO counter (name, value) VALUES ('${sweptAt}', ${Math.floor(this.#parts.clock.now())})
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    )
  }

  /** Asks the session that holds the lock: it is with the server that writes. */
  async #findUsed(session: Session, numbers: readonly ObjectNumbers[]): Promise<ReadonlySet<string>> {
    const used = new Set<string>()
    for (let first = 0; first < numbers.length; first += askedAtOnce) {
      const asked = numbers.slice(first, first + askedAtOnce)
      const { rows } = await session.query<ObjectNumbers>(findUsedStatement, [
        ...asked.map(({ segment }) => segment),
        ...Array.from({ length: askedAtOnce - asked.length }, () => 0),
      ])
      for (const row of rows) used.add(objectName(row))
    }
    return used
  }
}

const findUsedStatement = {
  name: undefined,
  text: `SELECT DISTINCT segment, position AS "offset" FROM blob
    WHERE segment > ${inTables} AND segment IN (${Array.from({ length: askedAtOnce }, (_, at) => `$${at + 1}`).join(', ')})`,
}
