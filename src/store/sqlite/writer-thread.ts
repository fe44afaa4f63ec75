// The writer's thread: the one place that changes the store, for all protocol threads.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { dataFolder } from '../bodies/data-folder.ts'
import type { ChangeHint } from '../store.ts'
import { type OpenWriter, openWriter } from './open-writer.ts'
import {
  type Answer,
  type CommitMessage,
  type CallMessage,
  sendError,
  type SupervisorMessage,
  type WriterMessage,
  type WriterThreadData,
} from './writer-messages.ts'
import type { Outcome } from './writer.ts'
import { MetricsRelay, relayLog } from './writer-relay.ts'

function serve(supervisor: MessagePort, data: WriterThreadData): void {
  const tell = (message: WriterMessage) => supervisor.postMessage(message)
  const clients = new Set<Client>()
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
      },
    )
  } catch (error) {
    tell({ kind: 'failed', error: sendError(error) })
    supervisor.close()
    return
  }
  supervisor.on('message', (message: SupervisorMessage) => {
    if (message.kind === 'connect') {
      const client = new Client(message.port, opened)
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
  #answers: Answer[] = []

  constructor(port: MessagePort, opened: OpenWriter) {
    this.#port = port
    port.on('message', ({ first, calls }: CallMessage) => {
      for (const [index, [name, args]] of calls.entries()) {
        const id = first + index
        if (name === 'maintain') void this.#maintain(id, opened)
        else opened.writer.submit(name, args, outcome => this.#settle(id, outcome))
      }
      // What was refused before it could wait for a batch.
      if (this.#answers.length > 0 && !opened.writer.transaction) this.flush([])
    })
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
    if (this.#answers.length === 0 && hints.length === 0) return
    const message: CommitMessage = { answers: this.#answers, hints }
    this.#answers = []
    this.#port.postMessage(message)
  }

  close(): void {
    this.flush([])
    this.#port.close()
  }
}

const supervisor = parentPort
if (!supervisor) throw new Error('this file is the entry of a worker thread')
serve(supervisor, workerData as WriterThreadData)
