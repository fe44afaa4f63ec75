// One protocol thread's place: starts its thread, and another when that one dies.
import { type MessagePort, Worker } from 'node:worker_threads'
import type { Log } from '../base/log.ts'
import { BackOff } from './back-off.ts'
import type { Listen } from './listen.ts'
import type { LogLevel } from './log.ts'
import type { MetricsBatch } from './metrics.ts'
import type { Slot } from './slot.ts'
import type { Storage } from './storage.ts'
import { threadEntry } from './thread-entry.ts'
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts'

export interface ThreadSlotOptions {
  readonly index: number
  readonly log: Log
  /** What a thread is started with now. */
  readonly data: () => ThreadData
  /** Where its doors are to be now. */
  readonly listen: () => Listen
  /** The thread listens: it can be given the store. */
  readonly onListening: (slot: Slot) => void
  readonly onMetrics: (batch: MetricsBatch) => void
  /** The thread has ended; whether it will be started again is the slot's matter. */
  readonly onDeath: () => void
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting' | 'listening' | 'ready' | 'stopping'; readonly worker: Worker }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'stopped' }

/** What a thread may take to end after the drain; less when it is to end at once. */
const graceMs = 2000
const hurriedGraceMs = 300

/** A thread's heap of new objects, MiB: small, because an idle server is to stay small and sessions keep little for long. */
const youngGenerationMb = 8

export class ThreadSlot implements Slot {
  readonly index: number
  readonly #options: ThreadSlotOptions
  readonly #backOff = new BackOff()
  #state: State = { kind: 'idle' }
  /** Ends with the first start: later failures are retried. */
  #firstStart = Promise.withResolvers<Listen>()
  #ready = Promise.withResolvers<void>()
  #exited = Promise.withResolvers<void>()
  #reports: (() => void)[] = []
  #onRehearsed: (() => void) | undefined
  #hasDied = false
  #mayListen = false

  constructor(options: ThreadSlotOptions) {
    this.index = options.index
    this.#options = options
    this.#firstStart.promise.catch(() => {})
    this.#ready.promise.catch(() => {})
  }

  get isReady(): boolean {
    return this.#state.kind === 'ready'
  }

  load(): void {
    this.#spawn()
  }

  /** Opens the doors of the thread that `load` began; where it listens. Rejects when it cannot. */
  start(): Promise<Listen> {
    this.#mayListen = true
    this.#listen()
    return this.#firstStart.promise
  }

  /** Resolves when the first thread serves. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  open(storage: Storage): void {
    const port = storage.connect()
    if (port) this.#send({ kind: 'open', port }, [port])
  }

  async rehearse(): Promise<void> {
    if (this.#state.kind !== 'ready') return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onRehearsed = resolve
    this.#send({ kind: 'rehearse' })
    await promise
  }

  newWriter(storage: Storage): void {
    // A thread that is about to open the store is given the new writer for that.
    if (this.#state.kind !== 'ready' && this.#state.kind !== 'listening') return
    const writer = storage.connect()
    if (writer) this.#send({ kind: 'newWriter', writer }, [writer])
  }

  reload(logLevel: LogLevel): void {
    this.#send({ kind: 'reload', logLevel })
  }

  rotateTicketKeys(keys: Uint8Array): void {
    this.#send({ kind: 'ticketKeys', keys })
  }

  injectFault(): void {
    this.#send({ kind: 'fault' })
  }

  /** Asks for what was counted, and waits for it `timeoutMs` at most. */
  async report(timeoutMs: number): Promise<void> {
    if (this.#state.kind !== 'ready') return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#reports.push(resolve)
    const timer = setTimeout(resolve, timeoutMs)
    this.#send({ kind: 'report' })
    await promise
    clearTimeout(timer)
  }

  /** Ends the thread: sessions have `drainMs`, then it is cut off. */
  async stop(drainMs: number): Promise<void> {
    const state = this.#state
    if (state.kind === 'waiting') clearTimeout(state.timer)
    if (!('worker' in state)) {
      this.#state = { kind: 'stopped' }
      return
    }
    this.#send({ kind: 'stop', drainMs })
    this.#state = { kind: 'stopping', worker: state.worker }
    // What a session does after the drain is given a moment; then the thread itself ends.
    const timer = setTimeout(
      () => void state.worker.terminate(),
      drainMs + (drainMs === 0 ? hurriedGraceMs : graceMs),
    )
    await this.#exited.promise
    clearTimeout(timer)
    this.#state = { kind: 'stopped' }
  }

  #send(message: ToThread, transfer: readonly MessagePort[] = []): void {
    if ('worker' in this.#state) this.#state.worker.postMessage(message, transfer)
  }

  #listen(): void {
    if (this.#mayListen) this.#send({ kind: 'listen', listen: this.#options.listen() })
  }

  #spawn(): void {
    this.#exited = Promise.withResolvers()
    this.#backOff.started(performance.now())
    const worker = new Worker(threadEntry('protocol-thread', import.meta.url), {
      name: `restante ${this.index}`,
      workerData: this.#options.data(),
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    })
    this.#state = { kind: 'starting', worker }
    this.#listen()
    let failure: Error | undefined
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'failed') failure = new Error(message.message)
      else this.#receive(worker, message)
    })
    worker.on('error', error => {
      failure = error instanceof Error ? error : new Error(String(error))
    })
    worker.on('exit', code => this.#ended(code, failure))
  }

  #receive(worker: Worker, message: Exclude<FromThread, { kind: 'failed' }>): void {
    switch (message.kind) {
      case 'listening':
        if (this.#state.kind === 'starting') this.#state = { kind: 'listening', worker }
        this.#firstStart.resolve(message.addresses)
        this.#options.onListening(this)
        return
      case 'ready':
        if (this.#state.kind === 'listening') this.#state = { kind: 'ready', worker }
        this.#ready.resolve()
        if (this.#hasDied) this.#options.log.info({ thread: this.index }, 'a protocol thread is back')
        return
      case 'rehearsed':
        this.#onRehearsed?.()
        return
      case 'metrics':
        if (message.batch) this.#options.onMetrics(message.batch)
        for (const done of this.#reports.splice(0)) done()
        return
    }
  }

  #ended(code: number, failure: Error | undefined): void {
    const { log } = this.#options
    const isWanted = this.#state.kind === 'stopping'
    const hasServed = this.#state.kind === 'ready'
    for (const done of this.#reports.splice(0)) done()
    this.#onRehearsed?.()
    this.#exited.resolve()
    this.#options.onDeath()
    if (isWanted || this.#state.kind === 'stopped') return
    const reason = failure ?? new Error(`the thread ended with code ${code}`)
    this.#firstStart.reject(reason)
    this.#ready.reject(reason)
    this.#hasDied = true
    const delayMs = this.#backOff.died(performance.now())
    log.error({ err: reason, thread: this.index, hasServed, restartInMs: delayMs }, 'a protocol thread died')
    this.#state = { kind: 'waiting', timer: setTimeout(() => this.#spawn(), delayMs) }
  }
}
