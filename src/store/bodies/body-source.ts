// Where bodies are read from.
import type { BlobHash } from '../../base/ids.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import type { BodyLocation, CopyBody } from '../store.ts'

export interface BodySource {
  /**
   * Bytes `start` to `end` (exclusive) of the body at `location`; undefined when its segment is gone (compaction moved it).
   * Throws `StoreError` `corrupt` when something else is there.
   */
  read(hash: BlobHash, location: BodyLocation, start: number, end: number): Awaitable<Buffer | undefined>
  /** What copies of the body at `location`, at once and up to `end` as far as the caller knows; undefined when it is not there (any more), and where it is compressed. */
  open?(hash: Uint8Array, location: BodyLocation, end: number): CopyBody | undefined
  close(): void
}
