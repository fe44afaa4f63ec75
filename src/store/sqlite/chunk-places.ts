// Where the search index is: for those who search, and for the indexer.
import type { Log } from '../../base/log.ts'
import type { ChunkSource, ChunkStore } from '../search/chunk-store.ts'
import { ChunkFile, ChunkFileReader } from './chunk-file.ts'
import type { Connection } from './connection.ts'

export interface ChunkPlace {
  /** For those who search. */
  readonly source: ChunkSource
  /** For the indexer: opens it, or begins anew where what is there does not fit. */
  open(): ChunkStore
  /** Ends what `source` has open. */
  close(): void
}

/** As long as the process lives. */
export function chunksInMemory(): ChunkPlace {
  let file = ChunkFile.inMemory()
  return {
    source: {
      chunks: account => file.chunks(account),
      piece: (account, address, name) => file.piece(account, address, name),
    },
    open: () => (file = ChunkFile.inMemory()),
    close: () => {},
  }
}

/** In a file beside the store that `connection` reads. */
export function chunksInFile(path: string, connection: Connection, log: Log): ChunkPlace {
  const source = new ChunkFileReader(path, log)
  const open = () => {
    const row = connection.get<{ value: string }>(`SELECT value FROM secret WHERE name = 'store-id'`)
    return ChunkFile.open(path, row?.value ?? '', log)
  }
  return { source, open, close: () => source.close() }
}
