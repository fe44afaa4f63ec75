// Where the chunks of the search index are kept. It is a cache: whatever is missing is searched without it, and made again.
import type { Awaitable } from '../../base/awaitable.ts'
import type { Breathe } from '../../base/breathe.ts'
import type { AccountId } from '../../base/ids.ts'
import type { ChunkAddress, ChunkEdition, ChunkHead, PackedChunk, PieceName } from './chunk.ts'

export interface StoredChunk {
  readonly edition: ChunkEdition
  readonly head: ChunkHead
}

/** For those who search. */
export interface ChunkSource {
  /** The chunks of an account, in no order; the same list while nothing has changed, where that is known. */
  chunks(account: AccountId, breathe: Breathe): Awaitable<readonly StoredChunk[]>
  /** Undefined when it is missing, or of another edition. */
  piece(account: AccountId, edition: ChunkEdition, name: PieceName): Awaitable<Uint8Array | undefined>
}

/** For the indexer. Each change is whole or not made. What is damaged throws, or is removed and is then missing. */
export interface ChunkStore extends Pick<ChunkSource, 'piece'> {
  /** False when what is written here is seen by nobody any more: open another. */
  readonly isCurrent: boolean
  /** Kept with the emails, so that a store that is put back to an earlier state has the index of that state. */
  readonly isWithEmails: boolean
  addresses(account: AccountId): Awaitable<readonly ChunkAddress[]>
  find(account: AccountId, address: ChunkAddress): Awaitable<StoredChunk | undefined>
  /** Keeps a chunk in the place of the one that was there, and of those that it holds the emails of. */
  put(
    account: AccountId,
    address: ChunkAddress,
    packed: PackedChunk,
    replaces: readonly ChunkAddress[],
  ): Awaitable<void>
  /** Accounts with chunks, and the modSeq up to which their chunks were looked through for emails that are gone. */
  accounts(): Awaitable<readonly { readonly account: AccountId; readonly sweptModSeq: number }[]>
  swept(account: AccountId, modSeq: number): Awaitable<void>
  forget(account: AccountId): Awaitable<void>
  /** `remove`: something in it is damaged. */
  close(remove?: boolean): Awaitable<void>
}
