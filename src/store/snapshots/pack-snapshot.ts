// Keeps a snapshot packed in the store, for the next cold start.
import { limits } from '../../base/limits.ts'
import type { SaveSnapshot } from '../mutations/save-snapshot.ts'
import type { SnapshotEntry } from './build-snapshot.ts'
import { messagesPerChunk } from './message-chunk.ts'
import { type ChunkHead, packChunk, packHeader, packUids } from './packing.ts'

export type SaveSnapshotCall = (args: SaveSnapshot) => Promise<unknown>

/** Chunks in one mutation. */
const chunksPerSave = 64

/**
 * Sends the chunks that differ from what is packed. Flags may change meanwhile: then a chunk is newer than its header says, and
 * applying the changes since to it gives the same.
 */
export async function packSnapshot(
  { snapshot, packed }: SnapshotEntry,
  save: SaveSnapshotCall,
): Promise<void> {
  const { account, mailbox, modSeq, uidValidity, count, list, survey } = snapshot
  const { chunksAtOnce } = limits.store
  const heads: ChunkHead[] = []
  const basedOn = packed.modSeq
  const chunkCount = Math.ceil(count / messagesPerChunk)
  let chunks: { chunk: number; data: Uint8Array }[] = []
  for (let chunk = 0; chunk < chunkCount; chunk++) {
    const { data, head } = packChunk(list, chunk, count)
    heads.push(head)
    if (packed.heads?.checksum(chunk) !== head.checksum) chunks.push({ chunk, data })
    if (chunks.length === chunksPerSave) {
      await save({ account, mailbox, basedOn, chunks })
      chunks = []
    }
    if (chunk % chunksAtOnce === chunksAtOnce - 1) await new Promise(setImmediate)
  }
  const data = packHeader({
    uidValidity,
    count,
    survey,
    heads,
    uidRanges: packUids(list.uids.upTo(count), count),
  })
  await save({ account, mailbox, basedOn, chunks, header: { modSeq, chunkCount, data } })
}
