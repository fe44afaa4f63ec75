// The server's store over its threads: a writer in a thread of its own, and in each protocol thread a store that reads by itself;
// or, on PostgreSQL, in each thread a store that does both.
//
// A writer that dies is started again with back-off. Meanwhile changes are refused as temporary failures and reading goes on.
import type { MessagePort } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { AccountId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import { StoreError } from '../store/error.ts'
import { type ConnectedStore, openStore, type StorePlace } from '../store/open-store.ts'
import type { PostgresPlace } from '../store/postgres/place.ts'
import { bucketOf } from '../store/s3/bucket.ts'
import { startWriter, type WriterHandle } from '../store/sqlite/start-writer.ts'
import type { StoreOptions } from '../store/store-options.ts'
import type { Store } from '../store/store.ts'
import { BackOff } from './back-off.ts'
import { IndexerService } from './indexer-service.ts'
import type { Config } from './config.ts'

export interface StorageOptions {
  readonly config: Pick<Config, 'dataDir' | 'quota' | 'search' | 'store' | 'threads'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** There is another writer: each thread wants a port to it. */
  readonly onNewWriter: () => void
}

/** The supervisor's end. */
export interface Storage {
  readonly store: Store
  /** A port for the store of one thread: to the writer, or on PostgreSQL to what hears of changes. Undefined without threads. */
  connect(): MessagePort | undefined
  /** 'ok', or why nothing can be written now. */
  checkWritable(): Promise<string>
  /** Begins to fill the search index in a thread of its own, where the store does not do it by itself; a server does so when it serves. */
  startIndexer(): void
  /** Commits what waits, and closes. */
  close(): Promise<void>
}

/** Opens the store for this process. Throws `StoreError`. */
export function openStorage(options: StorageOptions): Promise<Storage> {
  const { config } = options
  if (config.threads === 0) return openHere(options)
  const place = storePlace(config, true)
  return 'url' in place ? openOnPostgres(options, place) : ThreadedStorage.open(options)
}

/** Where the configuration says that the store is. One store of a process `maintains` it. */
export function storePlace(
  { dataDir, store }: Pick<Config, 'dataDir' | 'store'>,
  maintains = false,
): Exclude<StorePlace, { memory: true }> {
  const { url, sessions } = store
  if (url === undefined) return { dataDir }
  return {
    ...databasePlace(url, { dataDir, store }),
    readSessions: sessions.read,
    writeSessions: sessions.write,
    maintains,
  }
}

function databasePlace(url: string, { dataDir, store }: Pick<Config, 'dataDir' | 'store'>): PostgresPlace {
  return {
    url,
    tls: store.tls,
    bucket: bucketOf(store),
    // A server in a program may have no folder.
    dataDir: dataDir === '' ? undefined : dataDir,
  }
}

/** Opens the store of a protocol thread; `port` is what `Storage.connect` gave for it. Throws `StoreError`. */
export async function openThreadStore(
  config: Pick<Config, 'dataDir' | 'quota' | 'search' | 'store'>,
  port: MessagePort,
  options: Pick<StoreOptions, 'clock' | 'log' | 'metrics'>,
): Promise<Store & Partial<Pick<ConnectedStore, 'connect'>>> {
  const all = { ...options, ...storeOptions(config) }
  const place = storePlace(config)
  return 'url' in place ? openStore({ ...place, news: port }, all) : openStore({ ...place, port }, all)
}

/** What the configuration says of the store: durability, whether it searches by an index, and what an account without a quota of its own may hold. */
export function storeOptions({
  quota,
  search,
  store,
}: Pick<Config, 'quota' | 'search' | 'store'>): Pick<
  StoreOptions,
  'defaultQuota' | 'durability' | 'searchIndex'
> {
  return {
    durability: store.durability,
    searchIndex: search.index,
    defaultQuota: { bytes: quota.bytes ?? undefined, messages: quota.messages ?? undefined },
  }
}

/** Everything in the calling thread. */
async function openHere(options: StorageOptions): Promise<Storage> {
  const { config, clock, log, metrics } = options
  const store = await openStore(storePlace(config, true), { clock, log, metrics, ...storeOptions(config) })
  return {
    store,
    connect: () => undefined,
    checkWritable: () => checkWritable(store),
    startIndexer() {
      // The store fills the index by itself.
    },
    close: () => store.close(),
  }
}

/** Each thread writes by itself; they hear of changes over one session. */
async function openOnPostgres(
  { config, clock, log, metrics }: StorageOptions,
  place: PostgresPlace,
): Promise<Storage> {
  // Loaded where it is used: the embedded store needs none of it.
  const { NewsHub } = await import('../store/postgres/news-hub.ts')
  const hub = await NewsHub.start(place, log)
  let store: Store
  try {
    store = await openStore(
      { ...place, fillsIndex: false, news: hub.connect() },
      { clock, log, metrics, ...storeOptions(config) },
    )
  } catch (error) {
    await hub.close()
    throw error
  }
  let indexer: IndexerService | undefined
  return {
    store,
    connect: () => hub.connect(),
    checkWritable: () => checkWritable(store),
    startIndexer() {
      if (!config.search.index) return
      const indexed = { ...databasePlace(place.url, config), readSessions: 1, writeSessions: 1 }
      const dataOf = () => ({ kind: 'postgres', place: indexed, news: hub.connect() }) as const
      indexer ??= new IndexerService({ log, metrics, dataOf })
    },
    async close() {
      await indexer?.close()
      await store.close()
      await hub.close()
    },
  }
}

class ThreadedStorage implements Storage {
  readonly store: Store
  readonly #options: StorageOptions
  readonly #backOff = new BackOff()
  readonly #adopt: (port: MessagePort) => void
  #writer: WriterHandle
  #indexer: IndexerService | undefined
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

  startIndexer(): void {
    const { config, log, metrics } = this.#options
    if (!config.search.index || this.#isClosing) return
    const { dataDir } = config
    const dataOf = () => ({ kind: 'folder', dataDir, writer: this.connect() }) as const
    this.#indexer ??= new IndexerService({ log, metrics, dataOf })
  }

  async close(): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#timer)
    await this.#indexer?.close()
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
      this.#indexer?.newWriter(() => this.connect())
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
