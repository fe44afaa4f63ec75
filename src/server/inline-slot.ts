// Sessions in the calling thread: `threads = 0`. What nobody catches ends the process, as it does any program of one thread.
import { systemClock } from '../base/clock.ts'
import { CertificateStore } from '../net/tls.ts'
import type { QueueRunner } from '../queue/runner.ts'
import { createApp } from './app.ts'
import type { Listen } from './listen.ts'
import type { LogLevel, ServerLog } from './log.ts'
import { type MetricsBatch, ThreadMetrics } from './metrics.ts'
import { createQueueRunner } from './queue-service.ts'
import { Runner } from './runner.ts'
import type { Slot } from './slot.ts'
import type { Storage } from './storage.ts'
import type { ThreadData } from './thread-messages.ts'

export interface InlineSlotOptions {
  readonly log: ServerLog
  readonly data: () => ThreadData
  /** Where its doors are to be. */
  readonly listen: () => Listen
  /** The doors are open: it can be given the store. */
  readonly onListening: (slot: Slot) => void
  readonly onMetrics: (batch: MetricsBatch) => void
}

export class InlineSlot implements Slot {
  readonly #options: InlineSlotOptions
  readonly #metrics = new ThreadMetrics()
  readonly #ready = Promise.withResolvers<void>()
  #data: ThreadData | undefined
  #runner: Runner | undefined
  #certificates: CertificateStore | undefined
  #queue: QueueRunner | undefined
  #isReady = false

  constructor(options: InlineSlotOptions) {
    this.#options = options
  }

  get isReady(): boolean {
    return this.#isReady
  }

  get ready(): Promise<void> {
    return this.#ready.promise
  }

  load(): void {
    // It is there.
  }

  async start(): Promise<Listen> {
    const data = this.#options.data()
    this.#data = data
    this.#certificates = await CertificateStore.load({
      ...data.certificates,
      ticketKeys: Buffer.from(data.ticketKeys),
    })
    this.#runner = await Runner.open({
      listen: this.#options.listen(),
      reusePort: false,
      log: this.#options.log,
      metrics: this.#metrics,
      certificates: this.#certificates,
      proxyNetworks: data.config.proxyNetworks,
    })
    this.#options.onListening(this)
    return this.#runner.addresses
  }

  open({ store }: Storage): void {
    if (!this.#data || !this.#runner) return
    const { config, shared } = this.#data
    const { log } = this.#options
    const app = createApp({
      config,
      clock: systemClock,
      log,
      metrics: this.#metrics,
      store,
      shared,
      index: this.#data.index,
    })
    this.#runner.start(app)
    this.#queue = createQueueRunner(app)
    this.#queue.start().then(() => {
      this.#isReady = true
      this.#ready.resolve()
    }, this.#ready.reject)
  }

  async rehearse(): Promise<void> {
    // What is called from a program of one thread has run, or is to start at once.
  }

  newWriter(): void {
    // Its writer is in this thread, and lives as long.
  }

  reload(logLevel: LogLevel): void {
    this.#options.log.setLevel(logLevel)
    this.#certificates?.reload().catch((error: unknown) => this.#reportCertificates(error))
  }

  rotateTicketKeys(keys: Uint8Array): void {
    this.#certificates
      ?.rotateTicketKeys(Buffer.from(keys))
      .catch((error: unknown) => this.#reportCertificates(error))
  }

  #reportCertificates(error: unknown): void {
    this.#options.log.warn({ err: error as Error }, 'certificates not loaded')
  }

  report(): Promise<void> {
    this.#runner?.report()
    const batch = this.#metrics.take()
    if (batch) this.#options.onMetrics(batch)
    return Promise.resolve()
  }

  async stop(drainMs: number): Promise<void> {
    await Promise.all([this.#runner?.stop(drainMs), this.#queue?.stop(drainMs)])
    this.#isReady = false
  }

  injectFault(): void {
    setImmediate(() => {
      throw new Error('a fault that was asked for')
    })
  }
}
