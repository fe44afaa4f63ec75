// The indexer's thread: reads the store by itself, and hears from the writer, or from other nodes and threads, what has changed.
import { setPriority } from 'node:os'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { limits } from '../../base/limits.ts'
import { dataFolder } from '../bodies/data-folder.ts'
import { openStore } from '../open-store.ts'
import { chunksInFile } from '../sqlite/chunk-places.ts'
import type { WriterMessage } from '../sqlite/writer-messages.ts'
import { MetricsRelay, relayLog } from '../sqlite/writer-relay.ts'
import { Indexer } from './indexer.ts'
import type { IndexerMessage, IndexerThreadData } from './start-indexer.ts'

const supervisor = parentPort
if (!supervisor) throw new Error('this file is the entry of a worker thread')
const data = workerData as IndexerThreadData
const tell = (message: WriterMessage) => supervisor.postMessage(message)
const log = relayLog(tell, {})
const metrics = new MetricsRelay(events => tell({ kind: 'metrics', events }))
giveWay()
const running = data.kind === 'folder' ? await indexFolder(data) : await indexDatabase(data)

supervisor.on('message', (message: IndexerMessage) => {
  if (message.kind === 'close') void close()
  else running.adopt(message.writer)
})

interface Running {
  /** The writer died; this is the next one. */
  adopt(writer: MessagePort): void
  close(): Promise<void>
}

async function indexFolder({ dataDir, writer }: IndexerThreadData & { kind: 'folder' }): Promise<Running> {
  const store = await openStore(
    { dataDir, port: writer },
    { log, metrics, gatherHintsMs: limits.search.settleMs },
  )
  const chunks = await chunksInFile(dataFolder(dataDir).searchIndex, store.reader, log)
  const indexer = new Indexer({ store, open: () => chunks.open(), log, metrics })
  store.watchAll(hints => indexer.tell(hints))
  return {
    adopt(port) {
      store.connect(port)
      indexer.lookAtAll()
    },
    async close() {
      await indexer.close()
      await store.close()
    },
  }
}

/** The store fills its index by itself. */
async function indexDatabase({ place, news }: IndexerThreadData & { kind: 'postgres' }): Promise<Running> {
  const store = await openStore(
    { ...place, news, fillsIndex: true },
    { log, metrics, searchIndex: true, gatherHintsMs: limits.search.settleMs },
  )
  return { adopt() {}, close: () => store.close() }
}

async function close(): Promise<void> {
  await running.close()
  metrics.close()
  supervisor?.close()
}

/** Delivery and clients come first. On Linux a thread has a priority of its own; elsewhere it would be the whole server's. */
function giveWay(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, 10)
  } catch {
    // It may be forbidden; then it shares as the others do.
  }
}
