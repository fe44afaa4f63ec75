// The writer's thread: the one place that changes the store, for all protocol threads.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { AccountCounts } from '../account-counts.ts'
import { dataFolder } from '../bodies/data-folder.ts'
import { HintFilter } from '../hint-filter.ts'
import type { ChangeHint } from '../store.ts'
import { type OpenWriter, openWriter } from './open-writer.ts'
import {
  type Answer,
  type Call,
  type ClientMessage,
  sendError,
  type SupervisorMessage,
  type WriterAnswer,
  type WriterMessage,
  type WriterThreadData,
} from './writer-messages.ts'
import type { Outcome } from './writer.ts'
import { MetricsRelay, relayLog } from './writer-relay.ts'

function serve(supervisor: MessagePort, data: WriterThreadData): void {
  const tell = (message: WriterMessage) => supervisor.postMessage(message)
  const clients = new Set<Client>()
  const changes = new AccountCounts()
  const watched = new AccountCounts()
  let hints: readonly ChangeHint[] = []
  const metrics = new MetricsRelay(events => tell({ kind: 'metrics', events }))
  let opened: OpenWriter
  try {
    opened = openWriter(
      dataFolder(data.dataDir),
      {
        log: relayLog(tell, {}),
        metrics,
        durability: data.durability,
        defaultQuota: data.defaultQuota,
        isRestart: data.isRestart,
        afterBatch() {
          for (const client of clients) client.flush(hints)
          hints = []
        },
      },
      committed => {
        hints = committed
        for (const { account } of committed) changes.add(account)
      },
    )
  } catch (error) {
    tell({ kind: 'failed', error: sendError(error) })
    supervisor.close()
    return
  }
  supervisor.on('message', (message: SupervisorMessage) => {
    if (message.kind === 'connect') {
      const client = new Client(message.port, opened, committed => {
        for (const other of clients) if (other !== client) other.flush(committed)
      })
      client.greet({
        kind: 'hello',
        changes: changes.buffer,
        watched: watched.buffer,
        gate: opened.gate.buffer,
      })
      clients.add(client)
      message.port.on('close', () => clients.delete(client))
      return
    }
    void opened.close().then(() => {
      metrics.close()
      for (const client of clients) client.close()
      supervisor.close()
    })
  })
  tell({ kind: 'ready' })
}

/** One protocol thread. */
class Client {
  readonly #port: MessagePort
  /** What it wants to hear; until it has said so, of everything. */
  #filter: HintFilter | undefined
  #answers: Answer[] = []

  /** `tellOthers` hears of what the thread has changed itself. */
  constructor(port: MessagePort, opened: OpenWriter, tellOthers: (hints: readonly ChangeHint[]) => void) {
    this.#port = port
    port.on('message', (message: ClientMessage) => {
      switch (message.kind) {
        case 'hello':
          this.#filter = new HintFilter(new AccountCounts(message.watched), message.gatherHintsMs, gathered =>
            this.#tell({ kind: 'commit', answers: [], hints: gathered }),
          )
          break
        case 'calls':
          this.#submit(message.first, message.calls, opened)
          break
        case 'committed':
          tellOthers(message.hints)
          opened.committedByOther(message.rows)
          break
        case 'failed':
          opened.failedByOther()
      }
    })
  }

  greet(hello: WriterAnswer): void {
    this.#tell(hello)
  }

  #submit(first: number, calls: readonly Call[], opened: OpenWriter): void {
    let next = first
    for (const [name, args, count = 1] of calls) {
      const id = next
      next += count
      if (name === 'maintain') void this.#maintain(id, opened)
      else opened.writer.submit(name, args, outcome => this.#settle(id, outcome))
    }
    // What was refused before it could wait for a batch.
    if (this.#answers.length > 0 && !opened.writer.transaction) this.flush([])
  }

  #settle(id: number, outcome: Outcome): void {
    this.#answers.push(
      outcome.kind === 'done' ? [id, 'done', outcome.result] : [id, 'refused', sendError(outcome.error)],
    )
  }

  async #maintain(id: number, opened: OpenWriter): Promise<void> {
    try {
      this.#settle(id, { kind: 'done', result: await opened.maintain() })
    } catch (error) {
      this.#settle(id, { kind: 'refused', error })
    }
    this.flush([])
  }

  flush(hints: readonly ChangeHint[]): void {
    const wanted = this.#filter?.take(hints) ?? hints
    if (this.#answers.length === 0 && wanted.length === 0) return
    const answers = this.#answers
    this.#answers = []
    this.#tell({ kind: 'commit', answers, hints: wanted })
  }

  #tell(message: WriterAnswer): void {
    this.#port.postMessage(message)
  }

  close(): void {
    this.#filter?.close()
    this.flush([])
    this.#port.close()
  }
}

const supervisor = parentPort
if (!supervisor) throw new Error('this file is the entry of a worker thread')
serve(supervisor, workerData as WriterThreadData)
