// What the writer does by itself from time to time, in steps that others' mutations do not wait for.
import type { AccountId } from '../../base/ids.ts'
import type { Clock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import { StoreError } from '../error.ts'
import type { MaintenanceReport } from '../store.ts'
import { byAccount, type DueOrphan, dueOrphansSql } from '../read/due-orphans.ts'
import type { Connection } from './connection.ts'
import type { Writer } from './writer.ts'

export interface MaintenanceParts {
  readonly writer: Writer
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  /** Gives back the room of bodies that no row points to. */
  compact(signal: AbortSignal): Promise<MaintenanceReport>
}

export class Maintenance {
  readonly #parts: MaintenanceParts
  readonly #ending = new AbortController()
  readonly #timers: readonly NodeJS.Timeout[]
  #tail: Promise<unknown> = Promise.resolve()

  constructor(parts: MaintenanceParts) {
    this.#parts = parts
    this.#timers = [
      setInterval(() => this.#inBackground(() => this.#purge()), limits.store.maintenanceMs).unref(),
      setInterval(() => this.#inBackground(() => this.run()), limits.store.compactionMs).unref(),
    ]
  }

  /** Removes what is due and compacts, now. */
  run(): Promise<MaintenanceReport> {
    return this.#alone(async () => {
      await this.#purge()
      return this.#parts.compact(this.#ending.signal)
    })
  }

  /** Stops after the step under way. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#ending.abort()
    await this.#tail
  }

  /** One run at a time. */
  #alone<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(run)
    this.#tail = result.catch(() => {})
    return result
  }

  #inBackground(run: () => Promise<unknown>): void {
    run().catch((error: unknown) => {
      if (error instanceof StoreError && error.code === 'unavailable') return
      this.#parts.log.error({ err: error instanceof Error ? error : undefined }, 'maintenance failed')
    })
  }

  async #purge(): Promise<void> {
    await this.#purgeOrphans()
    await this.#purgeAccounts()
  }

  async #purgeOrphans(): Promise<void> {
    const { writer, connection, clock } = this.#parts
    const before = clock.now() - limits.store.orphanGraceMs
    const limit = limits.store.orphansPerStep
    const dueOrphans = () => connection.all<DueOrphan>(dueOrphansSql, before, limit)
    while (!this.#ending.signal.aborted) {
      const due = await writer.between(dueOrphans)
      await Promise.all(byAccount(due).map(args => writer.mutate('purgeOrphans', args)))
      if (due.length < limit) return
    }
  }

  /** Ends removals of accounts that a stop has interrupted. */
  async #purgeAccounts(): Promise<void> {
    const { writer, connection } = this.#parts
    const next = () =>
      connection.get<{ id: AccountId }>(`SELECT id FROM account WHERE state = 'removing' ORDER BY id LIMIT 1`)
        ?.id
    while (!this.#ending.signal.aborted) {
      const account = await writer.between(next)
      if (account === undefined) return
      await writer.mutate('purgeAccount', { account, limit: limits.account.purgeRows })
    }
  }
}
