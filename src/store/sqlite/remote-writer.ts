// The writer as a protocol thread sees it: over a port, all that one turn of the event loop asks in one message. What one turn asks alone, is brief and
// need not be synced the thread does itself, where the writer lets it.
import type { MessagePort } from 'node:worker_threads'
import { limits } from '../../base/limits.ts'
import { AccountCounts } from '../account-counts.ts'
import { StoreError } from '../error.ts'
import { gather, type Gathered, isBrief, type MutationName } from '../mutations.ts'
import type { ChangeHint, MaintenanceReport } from '../store.ts'
import type { DirectOutcome, DirectWriter } from './direct-writer.ts'
import { rowsPerLook } from './wal-keeper.ts'
import { WriterGate } from './writer-gate.ts'
import { type Call, type ClientMessage, receiveError, type WriterAnswer } from './writer-messages.ts'

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface RemoteWriterOptions {
  readonly direct: DirectWriter
  readonly watched: AccountCounts
  /** How long hints may be gathered; 0 for none of it. */
  readonly gatherHintsMs: number
  /** Hears of commits that changed accounts which `watched` counts. */
  readonly onHints: (hints: readonly ChangeHint[]) => void
  /** Hears of each mutation that this thread has committed itself, alone, before whoever asked for it does. */
  readonly onDirect: (name: MutationName, args: unknown, result: unknown) => void
  /** A writer is there, who had told nothing until now. */
  readonly onGreeting: () => void
}

export class RemoteWriter {
  readonly #watched: AccountCounts
  readonly #gatherHintsMs: number
  readonly #onHints: (hints: readonly ChangeHint[]) => void
  readonly #onDirect: RemoteWriterOptions['onDirect']
  readonly #onGreeting: () => void
  readonly #pending = new Map<number, Pending>()
  readonly #direct: DirectWriter
  #port: MessagePort | undefined
  #gate: WriterGate | undefined
  #changes: AccountCounts | undefined
  /** Whom all threads watch. */
  #watchedByAll: AccountCounts | undefined
  /** Rows changed here of which the writer has not been told. */
  #untoldRows = 0
  #outbox: Call[] = []
  /** What was sent as one, by its number. */
  readonly #gathered = new Map<number, Gathered>()
  #nextId = 0
  /** Set while `close` waits for the last answers. */
  #onIdle: (() => void) | undefined
  #isClosed = false

  constructor(port: MessagePort, options: RemoteWriterOptions) {
    const { direct, watched, gatherHintsMs, onHints, onDirect, onGreeting } = options
    this.#direct = direct
    this.#watched = watched
    this.#gatherHintsMs = gatherHintsMs
    this.#onHints = onHints
    this.#onDirect = onDirect
    this.#onGreeting = onGreeting
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
    this.#tell({ kind: 'hello', watched: this.#watched.buffer, gatherHintsMs: this.#gatherHintsMs })
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
    this.#direct.close()
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
    const [call] = calls
    // What waits goes first, so that the store's order is that of the calls.
    if (call && this.#pending.size === 1 && this.#gate?.isFree && isDirect(call))
      void this.#runDirectly(first, call, this.#gate)
    else this.#post(first, calls.length > 1 ? this.#gather(first, calls) : calls)
  }

  /** The same with what can be made as one as one call: a message of many costs more than what it asks for. */
  #gather(first: number, calls: readonly Call[]): readonly Call[] {
    const asked = calls.map(([name, args]) => ({ name, args }))
    const sent: Call[] = []
    for (let at = 0; at < calls.length; ) {
      const gathered = gather(asked, at)
      const count = gathered?.count ?? 1
      if (gathered?.isRefusedAsOne) {
        this.#gathered.set(first + at, gathered)
        sent.push([gathered.name, gathered.args, count])
      } else sent.push(...calls.slice(at, at + count))
      at += count
    }
    return sent
  }

  async #runDirectly(id: number, call: DirectCall, gate: WriterGate): Promise<void> {
    const [name, args] = call
    let ran: DirectOutcome
    try {
      ran = await this.#direct.run(gate, name, args)
    } catch (error) {
      ran = { kind: 'ran', outcome: { kind: 'refused', error }, rows: 0, hints: [] }
    }
    if (ran.kind !== 'ran') {
      if (ran.kind === 'failed') this.#tell({ kind: 'failed' })
      this.#post(id, [call])
      return
    }
    const { outcome, rows, hints } = ran
    if (outcome.kind === 'done') {
      for (const { account } of hints) this.#changes?.add(account)
      this.#onDirect(name, args, outcome.result)
      this.#committed(gate, rows, hints)
    }
    const pending = this.#pending.get(id)
    if (outcome.kind === 'done') pending?.resolve(outcome.result)
    else pending?.reject(outcome.error)
    this.#settled(id)
  }

  /** The writer is woken when it has to know, or somebody elsewhere has. */
  #committed(gate: WriterGate, rows: number, hints: readonly ChangeHint[]): void {
    this.#untoldRows += rows
    const sum = this.#watchedByAll
    const wanted = sum ? hints.filter(({ account }) => this.#watched.isMore(sum, account)) : hints
    if (gate.markUnsynced() || this.#untoldRows >= rowsPerLook || wanted.length > 0) {
      this.#tell({ kind: 'committed', rows: this.#untoldRows, hints: wanted })
      this.#untoldRows = 0
    }
    if (hints.length > 0) this.#onHints(hints)
  }

  #tell(message: ClientMessage): void {
    this.#port?.postMessage(message)
  }

  #post(first: number, calls: readonly Call[]): void {
    try {
      this.#tell({ kind: 'calls', first, calls })
    } catch {
      // Something in there cannot cross threads: find out whose it is.
      let next = first
      for (const call of calls) {
        this.#sendOne(next, call)
        next += call[2] ?? 1
      }
    }
  }

  #sendOne(id: number, call: Call): void {
    try {
      this.#tell({ kind: 'calls', first: id, calls: [call] })
    } catch (error) {
      this.#settleAll(id, pending => pending.reject(error))
    }
  }

  #receive(message: WriterAnswer): void {
    if (message.kind === 'hello') {
      this.#changes = new AccountCounts(message.changes)
      this.#watchedByAll = new AccountCounts(message.watched)
      this.#watched.addTo(this.#watchedByAll)
      this.#gate = new WriterGate(message.gate)
      this.#onGreeting()
      return
    }
    const { answers, hints } = message
    if (hints.length > 0) this.#onHints(hints)
    for (const answer of answers) {
      const [id] = answer
      if (answer[1] === 'done') {
        const results = this.#gathered.get(id)?.split(answer[2]) ?? [answer[2]]
        this.#settleAll(id, (pending, at) => pending.resolve(results[at]))
      } else {
        const error = receiveError(answer[2])
        this.#settleAll(id, pending => pending.reject(error))
      }
    }
  }

  /** What went as one under this number. */
  #settleAll(id: number, settle: (pending: Pending, at: number) => void): void {
    const count = this.#gathered.get(id)?.count ?? 1
    this.#gathered.delete(id)
    for (let at = 0; at < count; at++) {
      const pending = this.#pending.get(id + at)
      if (pending) settle(pending, at)
      this.#settled(id + at)
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
    this.#gate = undefined
    this.#outbox = []
    this.#gathered.clear()
    port?.close()
    for (const [id, pending] of Array.from(this.#pending)) {
      pending.reject(new StoreError('unavailable', 'the store restarted before it answered'))
      this.#settled(id)
    }
  }
}

type DirectCall = readonly [name: MutationName, args: unknown]

function isDirect(call: Call): call is DirectCall {
  return call[0] !== 'maintain' && isBrief(call[0], call[1])
}
