// Starts the writer's thread, for the supervisor.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { silentLog } from '../../base/log.ts'
import { silentMetrics } from '../../base/metrics.ts'
import { StoreError } from '../error.ts'
import type { StoreOptions } from '../store-options.ts'
import { receiveEvents } from './writer-relay.ts'
import {
  receiveError,
  type SupervisorMessage,
  type WriterMessage,
  type WriterThreadData,
} from './writer-messages.ts'

export interface WriterOptions extends Pick<StoreOptions, 'log' | 'metrics' | 'durability' | 'defaultQuota'> {
  /** A writer of this process died and protocol threads still have bodies that are arriving: leave those alone. */
  readonly isRestart?: boolean | undefined
}

/** The writer's thread. When it has ended, start another one and give its ports to the protocol threads' `connect`. */
export interface WriterHandle {
  /** A port for `openStore({ dataDir, port })` or `connect(port)` in one other thread; transfer it. */
  connect(): MessagePort
  /** Settles when the thread is gone: undefined after `close`, else why. Mutations that were under way have failed as `unavailable`; never rejects. */
  readonly ended: Promise<Error | undefined>
  /** Lets what waits commit, then ends the thread. */
  close(): Promise<void>
}

/** Settles when the store is open. Throws what `openStore` throws. */
export async function startWriter(dataDir: string, options: WriterOptions = {}): Promise<WriterHandle> {
  const { log = silentLog, metrics = silentMetrics } = options
  const workerData: WriterThreadData = {
    dataDir,
    durability: options.durability ?? 'mail',
    defaultQuota: options.defaultQuota ?? {},
    isRestart: options.isRestart ?? false,
  }
  // The built package has .js where the checkout has .ts.
  const entry = new URL(
    import.meta.url.endsWith('.ts') ? './writer-thread.ts' : './writer-thread.js',
    import.meta.url,
  )
  const worker = new Worker(entry, { workerData, name: 'store-writer' })
  let failure: Error | undefined
  let isClosing = false
  const ended = new Promise<Error | undefined>(resolve => {
    worker.on('error', error => {
      failure = error instanceof Error ? error : new Error(String(error))
    })
    worker.on('exit', code => {
      resolve(
        isClosing && !failure ? undefined : (failure ?? new Error(`the writer ended with code ${code}`)),
      )
    })
  })
  await new Promise<void>((resolve, reject) => {
    worker.on('message', (message: WriterMessage) => {
      switch (message.kind) {
        case 'ready':
          resolve()
          break
        case 'failed':
          reject(receiveError(message.error))
          break
        case 'log':
        case 'metrics':
          receiveEvents(message, log, metrics)
          break
      }
    })
    void ended.then(error => {
      reject(new StoreError('unavailable', 'the writer could not start', { cause: error }))
    })
  })
  const ask = (message: SupervisorMessage, transfer: readonly MessagePort[] = []) => {
    worker.postMessage(message, transfer)
  }
  return {
    connect() {
      const { port1, port2 } = new MessageChannel()
      ask({ kind: 'connect', port: port2 }, [port2])
      return port1
    },
    ended,
    async close() {
      isClosing = true
      ask({ kind: 'close' })
      await ended
    },
  }
}
