// The writer as a protocol thread sees it: over a port, all that one turn of the event loop asks in one message.
import type { MessagePort } from 'node:worker_threads'
import { limits } from '../../base/limits.ts'
import { AccountCounts } from '../account-counts.ts'
import { StoreError } from '../error.ts'
import type { MutationName } from '../mutations.ts'
import type { ChangeHint, MaintenanceReport } from '../store.ts'
import { type Call, type ClientMessage, receiveError, type WriterAnswer } from './writer-messages.ts'

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export class RemoteWriter {
  readonly #watched: AccountCounts
  readonly #onHints: (hints: readonly ChangeHint[]) => void
  readonly #pending = new Map<number, Pending>()
  #port: MessagePort | undefined
  #changes: AccountCounts | undefined
  #outbox: Call[] = []
  #nextId = 0
  /** Set while `close` waits for the last answers. */
  #onIdle: (() => void) | undefined
  #isClosed = false

  /** `onHints` hears of commits that changed accounts which `watched` counts. */
  constructor(port: MessagePort, watched: AccountCounts, onHints: (hints: readonly ChangeHint[]) => void) {
    this.#watched = watched
    this.#onHints = onHints
    this.connect(port)
  }

  /** Takes the port of a writer that was started anew. */
  connect(port: MessagePort): void {
    this.#disconnect()
    if (this.#isClosed) {
      port.close()
      return
    }
    this.#port = port
    port.postMessage({ kind: 'hello', watched: this.#watched.buffer } satisfies ClientMessage)
    port.on('message', (message: WriterAnswer) => this.#receive(message))
    port.on('close', () => {
      if (this.#port === port) this.#disconnect()
    })
  }

  /** Counts the commits that changed each account; undefined until the writer has said where. */
  get changes(): AccountCounts | undefined {
    return this.#changes
  }

  mutate(name: MutationName, args: unknown): Promise<unknown> {
    return this.#call([name, args])
  }

  maintain(): Promise<MaintenanceReport> {
    return this.#call(['maintain', undefined]) as Promise<MaintenanceReport>
  }

  /** Waits for the answers that are still to come. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#pending.size > 0 && this.#port) {
      await new Promise<void>(resolve => {
        this.#onIdle = resolve
      })
    }
    this.#disconnect()
  }

  #call(call: Call): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new StoreError('unavailable', 'the store is closed'))
    if (!this.#port) return Promise.reject(new StoreError('unavailable', 'the store is restarting'))
    if (this.#pending.size >= limits.store.waitingMutations) {
      return Promise.reject(new StoreError('unavailable', 'too much waits for the store'))
    }
    return new Promise((resolve, reject) => {
      // Behind all that follows from what has happened in this turn.
      if (this.#outbox.length === 0) process.nextTick(() => this.#send())
      this.#outbox.push(call)
      this.#pending.set(this.#nextId++, { resolve, reject })
    })
  }

  #send(): void {
    const calls = this.#outbox
    this.#outbox = []
    if (calls.length === 0 || !this.#port) return
    const first = this.#nextId - calls.length
    try {
      this.#port.postMessage({ kind: 'calls', first, calls } satisfies ClientMessage)
    } catch {
      // Something in there cannot cross threads: find out whose it is.
      for (const [index, call] of calls.entries()) this.#sendOne(first + index, call)
    }
  }

  #sendOne(id: number, call: Call): void {
    try {
      this.#port?.postMessage({ kind: 'calls', first: id, calls: [call] } satisfies ClientMessage)
    } catch (error) {
      this.#pending.get(id)?.reject(error)
      this.#settled(id)
    }
  }

  #receive(message: WriterAnswer): void {
    if (message.kind === 'hello') {
      this.#changes = new AccountCounts(message.changes)
      return
    }
    const { answers, hints } = message
    if (hints.length > 0) this.#onHints(hints)
    for (const answer of answers) {
      const [id] = answer
      const pending = this.#pending.get(id)
      if (answer[1] === 'done') pending?.resolve(answer[2])
      else pending?.reject(receiveError(answer[2]))
      this.#settled(id)
    }
  }

  #settled(id: number): void {
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#onIdle?.()
  }

  /** Whether the commit took place is not known for what was sent: the caller hears 'unavailable' and may ask. */
  #disconnect(): void {
    const port = this.#port
    this.#port = undefined
    this.#changes = undefined
    this.#outbox = []
    port?.close()
    for (const [id, pending] of Array.from(this.#pending)) {
      pending.reject(new StoreError('unavailable', 'the store restarted before it answered'))
      this.#settled(id)
    }
  }
}
