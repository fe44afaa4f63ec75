// What one node at a time does for the whole database from time to time, in steps that others' mutations do not wait for.
import type { AccountId } from '../../base/ids.ts'
import type { Clock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { MutationName } from '../mutations.ts'
import { byAccount, type DueOrphan, dueOrphansSql } from '../read/due-orphans.ts'
import type { MaintenanceReport, Reader } from '../store.ts'
import type { Statements } from './dialect.ts'
import type { Session } from './session.ts'
import type { SessionOpener } from './session-pool.ts'

export interface MaintenanceParts {
  readonly opener: SessionOpener
  readonly reader: Reader
  readonly statements: Statements
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  mutate(name: MutationName, args: unknown): Promise<unknown>
}

/** Names the lock of the node that does it. */
const maintenanceLock = 0x7265_7376

export class Maintenance {
  readonly #parts: MaintenanceParts
  #timer: NodeJS.Timeout | undefined
  #tail: Promise<unknown> = Promise.resolve()

  constructor(parts: MaintenanceParts) {
    this.#parts = parts
  }

  /** From now on by itself as well. */
  start(): void {
    this.#timer = setInterval(() => {
      this.run().catch((error: unknown) => {
        if (!this.#parts.signal.aborted)
          this.#parts.log.warn({ err: error as Error }, 'maintenance failed; it is tried again')
      })
    }, limits.store.maintenanceMs).unref()
  }

  /** Removes what is due, now, unless another node is at it. */
  run(): Promise<MaintenanceReport> {
    const result = this.#tail.then(() => this.#runLocked())
    this.#tail = result.catch(() => {})
    return result
  }

  /** Stops after the step under way; the signal has been given. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#tail
  }

  async #runLocked(): Promise<MaintenanceReport> {
    const { opener, statements, signal } = this.#parts
    // Its own, since the mutations need others.
    const session = await opener.openBefore(performance.now() + limits.postgres.retryMs, signal)
    try {
      const { rows } = await session.exec(`SELECT pg_try_advisory_lock(${maintenanceLock}) AS taken`)
      if (Number(rows[0]?.['taken']) === 1) {
        await this.#purgeOrphans()
        await this.#purgeAccounts()
        await session.query(statements.get('DELETE FROM commit_mark WHERE made_at < ?'), [
          this.#parts.clock.now() - limits.postgres.markMs,
        ])
        await this.#analyze(session)
      }
    } finally {
      // With the session its lock ends.
      await session.close()
    }
    return { segments: 0, freedBytes: 0 }
  }

  async #purgeOrphans(): Promise<void> {
    const { reader, clock, signal } = this.#parts
    const before = clock.now() - limits.store.orphanGraceMs
    const limit = limits.store.orphansPerStep
    while (!signal.aborted) {
      const due = await reader.all<DueOrphan>(dueOrphansSql, before, limit)
      await Promise.all(byAccount(due).map(args => this.#parts.mutate('purgeOrphans', args)))
      if (due.length < limit) return
    }
  }

  /**
   * Sessions keep the plans that they have made, and a plan made for a table without statistics may go over a whole mailbox. The server's own
   * autovacuum comes a minute later, or is turned off.
   */
  async #analyze(session: Session): Promise<void> {
    const { rows } = await session.exec(
      `SELECT relname AS name FROM pg_stat_user_tables WHERE schemaname = current_schema() AND n_mod_since_analyze > 200 + n_live_tup / 5`,
    )
    for (const row of rows) await session.exec(`ANALYZE "${String(row['name'])}"`)
  }

  /** Ends removals of accounts that a stop has interrupted. */
  async #purgeAccounts(): Promise<void> {
    const { reader, signal } = this.#parts
    while (!signal.aborted) {
      const next = await reader.get<{ id: AccountId }>(
        `SELECT id FROM account WHERE state = 'removing' ORDER BY id LIMIT 1`,
      )
      if (!next) return
      await this.#parts.mutate('purgeAccount', { account: next.id, limit: limits.account.purgeRows })
    }
  }
}
