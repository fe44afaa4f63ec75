// The indexer's thread in a server: started again when it dies. Searches go on without.
import type { MessagePort } from 'node:worker_threads'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import { type IndexerHandle, type IndexerThreadData, startIndexer } from '../store/search/start-indexer.ts'
import { BackOff } from './back-off.ts'

export interface IndexerServiceOptions {
  readonly log: Log
  readonly metrics: Metrics
  /** Which store a thread that starts reads. */
  readonly dataOf: () => IndexerThreadData
}

export class IndexerService {
  readonly #options: IndexerServiceOptions
  readonly #backOff = new BackOff()
  #indexer: IndexerHandle | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosing = false

  constructor(options: IndexerServiceOptions) {
    this.#options = options
    this.#start()
  }

  /** There is another writer; a port to it. */
  newWriter(connect: () => MessagePort): void {
    this.#indexer?.newWriter(connect())
  }

  async close(): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#timer)
    await this.#indexer?.close()
  }

  #start(): void {
    const { log, metrics, dataOf } = this.#options
    this.#backOff.started(performance.now())
    const indexer = startIndexer(dataOf(), { log, metrics })
    this.#indexer = indexer
    void indexer.ended.then(error => {
      this.#indexer = undefined
      if (this.#isClosing || error === undefined) return
      metrics.count('search_index_thread_deaths')
      const delayMs = this.#backOff.died(performance.now())
      log.error({ err: error, restartInMs: delayMs }, 'the indexer died')
      this.#timer = setTimeout(() => this.#start(), delayMs)
    })
  }
}
