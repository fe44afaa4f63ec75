// Starts the indexer's thread, for the supervisor.
import { type MessagePort, Worker } from 'node:worker_threads'
import type { Log } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import { receiveEvents } from '../sqlite/writer-relay.ts'
import type { PostgresPlace } from '../postgres/place.ts'
import type { WriterMessage } from '../sqlite/writer-messages.ts'

/** `workerData` of the indexer's thread: which store it reads. */
export type IndexerThreadData =
  /** `writer` is a port to the writer, which says what has changed. */
  | { readonly kind: 'folder'; readonly dataDir: string; readonly writer: MessagePort }
  /** `news` is a port to what hears of changes. */
  | { readonly kind: 'postgres'; readonly place: PostgresPlace; readonly news: MessagePort }

export type IndexerMessage =
  /** The writer died; this is the next one. */
  { readonly kind: 'newWriter'; readonly writer: MessagePort } | { readonly kind: 'close' }

/** The indexer's thread. When it has ended, start another one. */
export interface IndexerHandle {
  newWriter(port: MessagePort): void
  /** Settles when the thread is gone: undefined after `close`, else why; never rejects. */
  readonly ended: Promise<Error | undefined>
  /** Ends it after the email under way. */
  close(): Promise<void>
}

export function startIndexer(
  data: IndexerThreadData,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
): IndexerHandle {
  // The built package has .js where the checkout has .ts.
  const entry = new URL(
    import.meta.url.endsWith('.ts') ? './indexer-thread.ts' : './indexer-thread.js',
    import.meta.url,
  )
  const transferList = [data.kind === 'folder' ? data.writer : data.news]
  const worker = new Worker(entry, { workerData: data, transferList, name: 'indexer' })
  let failure: Error | undefined
  let isClosing = false
  const ended = new Promise<Error | undefined>(resolve => {
    worker.on('error', error => {
      failure = error instanceof Error ? error : new Error(String(error))
    })
    worker.on('exit', code => {
      resolve(isClosing ? undefined : (failure ?? new Error(`the indexer ended with code ${code}`)))
    })
  })
  worker.on('message', (message: WriterMessage) => receiveEvents(message, log, metrics))
  const ask = (message: IndexerMessage, transfer: readonly MessagePort[] = []) =>
    worker.postMessage(message, transfer)
  return {
    newWriter: port => ask({ kind: 'newWriter', writer: port }, [port]),
    ended,
    async close() {
      isClosing = true
      ask({ kind: 'close' })
      await ended
    },
  }
}
