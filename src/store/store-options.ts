// What a store is opened with.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import type { SegmentFileSystem } from './bodies/segment-files.ts'
import type { Durability } from './sqlite/wal-keeper.ts'
import type { Quota } from './store.ts'

export interface StoreOptions {
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
  readonly metrics?: Metrics | undefined
  /** `mail` by default: flag changes alone may be lost by a power cut (not by a crash) within a second. `strict` syncs each commit. */
  readonly durability?: Durability | undefined
  /** For accounts without a quota of their own. No limit by default. */
  readonly defaultQuota?: Quota | undefined
  /** The system calls that write bodies, for tests that make the disk fail. */
  readonly files?: SegmentFileSystem | undefined
  /** Keep an index of the mail's text (`search.db`, or tables), and search by it. Without: every search reads the messages. Off by default. */
  readonly searchIndex?: boolean | undefined
  /** Bytes of mailbox snapshots kept in memory by each thread. */
  readonly snapshotBytes?: number | undefined
  /** Over a port to the thread that knows of others' changes: how long that may gather what it has to tell of them. It tells at once by default. */
  readonly gatherHintsMs?: number | undefined
  /** Opens also the store that a move is filling (`filling.ts`), to go on with it. */
  readonly mayBeFilling?: boolean | undefined
}
