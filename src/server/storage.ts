// The server's store over its threads: a writer in a thread of its own, and in each protocol thread a store that reads by itself.
//
// A writer that dies is started again with back-off. Meanwhile changes are refused as temporary failures and reading goes on.
import type { MessagePort } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { AccountId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import { StoreError } from '../store/error.ts'
import { openStore } from '../store/open-store.ts'
import { startWriter, type WriterHandle } from '../store/sqlite/start-writer.ts'
import type { StoreOptions } from '../store/store-options.ts'
import type { Store } from '../store/store.ts'
import { BackOff } from './back-off.ts'
import type { Config } from './config.ts'

export interface StorageOptions {
  readonly config: Pick<Config, 'dataDir' | 'quota' | 'store' | 'threads'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** There is another writer: each thread wants a port to it. */
  readonly onNewWriter: () => void
}

/** The supervisor's end. */
export interface Storage {
  readonly store: Store
  /** A port to the writer, for one thread. */
  connect(): MessagePort
  /** 'ok', or why nothing can be written now. */
  checkWritable(): Promise<string>
  /** Commits what waits, and closes. */
  close(): Promise<void>
}

/** Opens the store for this process. Throws `StoreError`. */
export function openStorage(options: StorageOptions): Promise<Storage> {
  return options.config.threads === 0 ? openHere(options) : ThreadedStorage.open(options)
}

/** What the configuration says of the store: durability, and what an account without a quota of its own may hold. */
export function storeOptions({
  quota,
  store,
}: Pick<Config, 'quota' | 'store'>): Pick<StoreOptions, 'defaultQuota' | 'durability'> {
  return {
    durability: store.durability,
    defaultQuota: { bytes: quota.bytes ?? undefined, messages: quota.messages ?? undefined },
  }
}

/** Everything in the calling thread. */
async function openHere({ config, clock, log, metrics }: StorageOptions): Promise<Storage> {
  const store = await openStore({ dataDir: config.dataDir }, { clock, log, metrics, ...storeOptions(config) })
  return {
    store,
    connect() {
      throw new Error('without threads nobody else connects')
    },
    checkWritable: () => checkWritable(store),
    close: () => store.close(),
  }
}

class ThreadedStorage implements Storage {
  readonly store: Store
  readonly #options: StorageOptions
  readonly #backOff = new BackOff()
  readonly #adopt: (port: MessagePort) => void
  #writer: WriterHandle
  #isClosing = false
  #timer: NodeJS.Timeout | undefined

  private constructor(
    options: StorageOptions,
    writer: WriterHandle,
    store: Store,
    adopt: (port: MessagePort) => void,
  ) {
    this.#options = options
    this.#writer = writer
    this.store = store
    this.#adopt = adopt
    this.#watch(writer)
  }

  static async open(options: StorageOptions): Promise<ThreadedStorage> {
    const { config, clock, log, metrics } = options
    const writer = await startWriter(config.dataDir, { log, metrics, ...storeOptions(config) })
    try {
      const store = await openStore(
        { dataDir: config.dataDir, port: writer.connect() },
        { clock, log, metrics },
      )
      return new ThreadedStorage(options, writer, store, port => store.connect(port))
    } catch (error) {
      await writer.close()
      throw error
    }
  }

  connect(): MessagePort {
    return this.#writer.connect()
  }

  checkWritable(): Promise<string> {
    return checkWritable(this.store)
  }

  async close(): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#timer)
    await this.store.close()
    await this.#writer.close()
  }

  #watch(writer: WriterHandle): void {
    this.#backOff.started(performance.now())
    void writer.ended.then(error => {
      if (this.#isClosing || error === undefined) return
      this.#options.metrics.count('store_writer_deaths')
      this.#restartLater(error)
    })
  }

  #restartLater(error: unknown): void {
    const delayMs = this.#backOff.died(performance.now())
    this.#options.log.error({ err: error as Error, restartInMs: delayMs }, 'the writer of the store died')
    this.#timer = setTimeout(() => void this.#restart(), delayMs)
  }

  async #restart(): Promise<void> {
    const { config, log, metrics, onNewWriter } = this.#options
    this.#backOff.started(performance.now())
    try {
      const writer = await startWriter(config.dataDir, {
        log,
        metrics,
        ...storeOptions(config),
        isRestart: true,
      })
      if (this.#isClosing) {
        await writer.close()
        return
      }
      this.#writer = writer
      this.#adopt(writer.connect())
      this.#watch(writer)
      onNewWriter()
      log.info({}, 'the writer of the store is back')
    } catch (error) {
      if (!this.#isClosing) this.#restartLater(error)
    }
  }
}

/** Removes a credential that nobody has: it changes nothing, and goes the whole way to a commit. */
async function checkWritable(store: Store): Promise<string> {
  try {
    await store.mutate('deleteCredential', { account: 0 as AccountId, kind: 'app-password', name: '' })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code !== 'not-found' && error.code !== 'no-such-account') return error.message
  }
  return 'ok'
}
