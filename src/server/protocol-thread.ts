// The program of a protocol thread: opens the doors, waits for the store, serves until it is told to stop.
//
// What nobody caught ends the thread, for its state can no longer be trusted; the supervisor starts another, and the other threads go on.
import { randomUUID } from 'node:crypto'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { CertificateStore } from '../net/tls.ts'
import type { QueueRunner } from '../queue/runner.ts'
import { createApp } from './app.ts'
import type { Listen } from './listen.ts'
import { createLog } from './log.ts'
import { ThreadMetrics } from './metrics.ts'
import { createQueueRunner } from './queue-service.ts'
import { Runner } from './runner.ts'
import { openThreadStore } from './storage.ts'
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts'

const port = parentPort
if (!port) throw new Error('protocol-thread.ts runs as a worker thread only')
const data = workerData as ThreadData
const log = createLog(data.config.log)
const metrics = new ThreadMetrics()
const tell = (message: FromThread) => port.postMessage(message)

process.on('uncaughtException', error => {
  log.error({ err: error, trace: randomUUID(), thread: data.index }, 'uncaught: this thread ends')
  tell({ kind: 'metrics', batch: metrics.take() })
  process.exit(1)
})

const certificates = await CertificateStore.load({
  ...data.certificates,
  ticketKeys: Buffer.from(data.ticketKeys),
})
let runner: Runner | undefined
let store: Awaited<ReturnType<typeof openThreadStore>> | undefined
let queue: QueueRunner | undefined

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'listen':
      void openDoors(message.listen)
      return
    case 'open':
      void open(message.port)
      return
    case 'rehearse':
      void runner?.rehearse().then(() => tell({ kind: 'rehearsed' }))
      return
    case 'newWriter':
      store?.connect?.(message.writer)
      return
    case 'reload':
      log.setLevel(message.logLevel)
      void reload()
      return
    case 'ticketKeys':
      void certificates.rotateTicketKeys(Buffer.from(message.keys)).catch(reportCertificates)
      return
    case 'report':
      runner?.report()
      tell({ kind: 'metrics', batch: metrics.take() })
      return
    case 'stop':
      void stop(message.drainMs)
      return
    case 'fault':
      setImmediate(() => {
        throw new Error('a fault that was asked for')
      })
      return
  }
})

async function openDoors(listen: Listen): Promise<void> {
  try {
    const { reusePort, config } = data
    runner = await Runner.open({
      listen,
      reusePort,
      log,
      metrics,
      certificates,
      proxyNetworks: config.proxyNetworks,
    })
    tell({ kind: 'listening', addresses: runner.addresses })
  } catch (error) {
    tell({ kind: 'failed', message: (error as Error).message })
    process.exit(1)
  }
}

async function open(storePort: MessagePort): Promise<void> {
  const { config, shared } = data
  store = await openThreadStore(config, storePort, { clock: systemClock, log, metrics })
  const app = createApp({ config, clock: systemClock, log, metrics, store, shared, index: data.index })
  runner?.start(app)
  if (data.index === 0) {
    queue = createQueueRunner(app)
    await queue.start()
  }
  tell({ kind: 'ready' })
}

/** What was served before goes on being served when a file is broken; the supervisor has said so in the log. */
async function reload(): Promise<void> {
  await certificates.reload().catch(reportCertificates)
}

function reportCertificates(error: unknown): void {
  log.warn({ err: error as Error }, 'certificates not loaded')
}

async function stop(drainMs: number): Promise<void> {
  await Promise.all([runner?.stop(drainMs), queue?.stop(drainMs)])
  await store?.close()
  runner?.report()
  tell({ kind: 'metrics', batch: metrics.take() })
  process.exit(0)
}
