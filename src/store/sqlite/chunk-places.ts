// Where the search index is: for those who search, and for the indexer.
import type { Awaitable } from '../../base/awaitable.ts'
import type { Log } from '../../base/log.ts'
import type { ChunkSource, ChunkStore } from '../search/chunk-store.ts'
import { ChunkFile, ChunkFileReader } from './chunk-file.ts'
import type { Reader } from '../store.ts'

/** What a store is called in its index. */
export const storeIdSql = `SELECT value FROM secret WHERE name = 'store-id'`

export interface ChunkPlace {
  /** For those who search. */
  readonly source: ChunkSource
  /** For the indexer: opens it, or begins anew where what is there does not fit. */
  open(): Awaitable<ChunkStore>
  /** Ends what `source` has open. */
  close(): void
}

/** As long as the process lives. */
export function chunksInMemory(): ChunkPlace {
  let file = ChunkFile.inMemory()
  return {
    source: {
      chunks: account => file.chunks(account),
      piece: (account, edition, name) => file.piece(account, edition, name),
    },
    open: () => (file = ChunkFile.inMemory()),
    close: () => {},
  }
}

/** In a file beside the store that `reader` reads: an index says of which store it is. */
export async function chunksInFile(path: string, reader: Reader, log: Log): Promise<ChunkPlace> {
  const row = await reader.get<{ value: string }>(storeIdSql)
  const store = row?.value ?? ''
  const source = new ChunkFileReader(path, store, log)
  return { source, open: () => ChunkFile.open(path, store, log), close: () => source.close() }
}
