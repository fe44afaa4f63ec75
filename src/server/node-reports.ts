// Tells the others that share the store that this server is there, and how much it has to do.
import { hostname } from 'node:os'
import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import { schemaVersion } from '../store/sqlite/migrate.ts'
import type { Store } from '../store/store.ts'
import { programVersion } from './program-version.ts'

export interface NodeReportsOptions {
  readonly id: string
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Connections of clients now, and changes since the start. */
  readonly load: () => { readonly sessions: number; readonly commits: number }
}

export class NodeReports {
  readonly #options: NodeReportsOptions
  readonly #startedAt: number
  readonly #version = programVersion()
  readonly #timer: NodeJS.Timeout
  #reporting: Promise<void>

  /** Reports at once, and from now on. */
  constructor(options: NodeReportsOptions) {
    this.#options = options
    this.#startedAt = options.clock.now()
    this.#reporting = this.#report()
    this.#timer = setInterval(() => {
      this.#reporting = this.#reporting.then(() => this.#report())
    }, limits.node.reportMs).unref()
  }

  /** Settles when the report under way has been made, or has failed, which is logged. */
  get reported(): Promise<void> {
    return this.#reporting
  }

  /** The server ends: the others need not wait to see it gone. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#reporting
    const { store, id, log } = this.#options
    await store.mutate('forgetNode', { id }).catch((error: unknown) => {
      log.debug({ err: error as Error }, 'the other nodes were not told of the end')
    })
  }

  async #report(): Promise<void> {
    const { id, store, log, load } = this.#options
    try {
      await store.mutate('reportNode', {
        id,
        host: hostname(),
        version: this.#version,
        schema: schemaVersion,
        startedAt: this.#startedAt,
        ...load(),
      })
    } catch (error) {
      log.warn({ err: error as Error }, 'the other nodes were not told of this one')
    }
  }
}
