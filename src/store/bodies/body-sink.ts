// Where the writer puts bodies, inside its transaction.
import type { BodyLocation, BodyRef } from '../store.ts'

/** Used by one writer; every batch ends with `committed` or `abandoned`. */
export interface BodySink {
  /** Decides where a body will lie. Nothing is written before `flush`. */
  locate(body: BodyRef): BodyLocation
  /** Bytes that `flush` has to write. */
  readonly pendingBytes: number
  /** A point to go back to when one mutation of a batch is refused. */
  mark(): number
  rollBackTo(mark: number): void
  /** Writes and syncs what was located since the last batch; throws what the file system throws. */
  flush(): void
  /** The transaction is durable. */
  committed(): void
  /** The transaction failed: forgets the batch and takes its bytes back. */
  abandoned(): void
  /** Forgets where recent bodies lie, before compaction moves some of them. */
  forgetRecent(): void
  close(): void
}
