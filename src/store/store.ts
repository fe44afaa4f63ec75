// The store as everything above sees it: reads at once, changes through named mutations, bodies, hints.
// Nothing a mutation answers is lost afterwards: its promise settles after the commit and the body's fdatasync.
import type { Awaitable } from '../base/awaitable.ts'
import type { AccountId, BlobHash, MailboxId, ModSeq } from '../base/ids.ts'
import type { EmailColumnCache } from './email-columns.ts'
import type { MailboxSnapshot } from './mailbox-snapshot.ts'
import type { QueueId } from './queue-message.ts'
import type { SearchIndex } from './search/search-index.ts'
import type { MutationArgs, MutationName, MutationResult } from './mutations.ts'

/** A value that a column can hold. Dates are milliseconds since 1970; booleans are 0 and 1. */
export type SqlValue = string | number | Uint8Array | null

/** Runs SQL that only reads. Placeholders are `?`. Rows come as objects, or as arrays from `arrays`. */
export interface Reader {
  all<Row>(sql: string, ...params: readonly SqlValue[]): Awaitable<readonly Row[]>
  get<Row>(sql: string, ...params: readonly SqlValue[]): Awaitable<Row | undefined>
  /** Like `all`, each row an array in the order of the columns: three times faster for many rows. */
  arrays<Row extends readonly unknown[]>(
    sql: string,
    ...params: readonly SqlValue[]
  ): Awaitable<readonly Row[]>
  /** The expression that gives a column of bytes as text, where that is cheaper; ask for the bytes when the text is not ASCII. */
  asText?(column: string): string
  /** Rows of `blob` say where a body lies (`BodyLocation`), so that it can be asked for with the email's row. */
  readonly knowsLocations?: boolean
}

/** One transaction, inside a mutation. */
export interface Tx extends Reader {
  /** Runs a statement that changes rows; the count of rows changed. */
  run(sql: string, ...params: readonly SqlValue[]): Awaitable<number>
  /** Takes a statement whose answer nobody needs: the commit need not wait to be sent until it has come. Its failure is the mutation's. */
  leave(statement: Awaitable<unknown>): void
  /** Runs `section` as a part that is undone alone when it throws. Nothing else of the mutation may run meanwhile. */
  nested<T>(section: () => Promise<T>): Promise<T>
  /** When the transaction began, milliseconds since 1970. */
  readonly nowMs: number
  /** Takes one reference to a body for `account`, storing it when it is new to the account; it is durable when the transaction is. `releaseBlob` gives it back. */
  takeBody(account: AccountId, body: BodyRef): Promise<void> | undefined
  /** Takes one reference for `to` to a body of which `from` has one. */
  shareBody(from: AccountId, to: AccountId, hash: BlobHash): Awaitable<void>
  /** Where the queue's messages get their numbers from a counter that nobody waits for; elsewhere the modSeq of the server's account is their number. */
  readonly queueIds?: QueueIds
  /** Says that `account` has reached `modSeq`: those who watch it hear so after the commit. */
  changed(account: AccountId, modSeq: ModSeq): void
  /** What an account without a quota of its own may hold. */
  readonly defaultQuota: Quota
}

export interface QueueIds {
  take(): Awaitable<QueueId>
  /** What is taken from now on is far above all that was given by whoever filled the queue. */
  raise(): Awaitable<void>
}

/** Undefined: no limit. */
export interface Quota {
  readonly bytes?: number | undefined
  readonly messages?: number | undefined
}

/** A body on its way into the store, as mutation arguments carry it: bytes for a small one, a staging file for a large one. */
export type BodyRef =
  | { readonly kind: 'inline'; readonly hash: BlobHash; readonly bytes: Uint8Array }
  | { readonly kind: 'staged'; readonly hash: BlobHash; readonly sizeBytes: number; readonly file: string }

/** Where a stored body lies. Compaction may move it, so look it up again when its segment is gone. */
export interface BodyLocation {
  readonly segment: number
  readonly offset: number
  /** Bytes as stored; differs from the body's size when compressed. */
  readonly storedBytes: number
  readonly sizeBytes: number
  readonly compressed: boolean
}

/** Takes a body in pieces, as it arrives. Small ones stay in memory, large ones go to a staging file that nobody refers to before the commit. */
export interface StagedBody {
  /** Appends `chunk`, which is copied. Waits while the disk is behind. */
  write(chunk: Uint8Array): Awaitable<void>
  readonly sizeBytes: number
  /** Ends the body. Large bodies are on disk (fdatasync) when this settles. */
  finish(): Promise<BodyRef>
  /** All the bytes, for parsing; after `finish` and before the commit. */
  bytes(): Awaitable<Buffer>
  /** Forgets the body and removes its file. Call it always in the end; safe after `finish` and after the commit. */
  discard(): void
}

/** Says that an account changed; a hint may be lost or repeated, so ask the store what happened. */
export interface ChangeHint {
  readonly account: AccountId
  readonly modSeq: ModSeq
}

/** Copies bytes `start` to `end` (exclusive) of a body to `target`, from `at` on. False when the body was moved: `readBody` finds it again. */
export type CopyBody = (start: number, end: number, target: Buffer, at: number) => boolean

export interface MaintenanceReport {
  /** Segments of bodies that were rewritten or removed. */
  readonly segments: number
  readonly freedBytes: number
}

/** What the stores on one database tell each other beside its rows; a server of the database that dies takes it along. */
export interface Nodes {
  readonly maildrops: Maildrops
  /** Says a word without blanks to the other stores. It may be lost. */
  tell(word: string): void
  /** Hears the words of the others, for as long as the store is open. */
  hear(listener: (word: string) => void): void
}

/** Which maildrops are open, in all nodes. */
export interface Maildrops {
  /** Takes one, until it is released or this store has not been heard of for a minute. Throws `StoreError`. */
  take(account: AccountId, delaySeconds: number): Promise<'held' | 'in-use' | 'too-soon'>
  /** Never rejects: what cannot be given back runs out. */
  release(account: AccountId): Promise<void>
}

export interface Store {
  /** Sees the last commit. One synchronous section of JavaScript sees one state only if it makes one read. */
  readonly reader: Reader
  /** Runs a mutation in a transaction, grouped with what else is waiting; settles after the commit. Throws `StoreError`. */
  mutate<Name extends MutationName>(name: Name, args: MutationArgs<Name>): Promise<MutationResult<Name>>
  /** What is compared of many emails at once. */
  readonly emailColumns: EmailColumnCache
  /** What of a search can be answered without reading messages. */
  readonly searchIndex: SearchIndex
  /** Undefined where no other node can be at this store. */
  readonly nodes: Nodes | undefined
  stageBody(): StagedBody
  /** Makes a body of bytes that are at hand (taken, not copied: do not change them afterwards). */
  bodyOf(bytes: Uint8Array): BodyRef
  /** Bytes `start` to `end` (exclusive; the end by default) of a stored body. Throws `StoreError` `no-such-body`. */
  readBody(account: AccountId, hash: BlobHash, start?: number, end?: number): Awaitable<Buffer>
  /**
   * What copies of a body at `location`, without a wait and without an allocation. Undefined where it is not there (any more), or not so: ask `readBody` then.
   * Small ones are read here, up to `end`: whoever copies no more, and before another is opened, has all with one read.
   */
  openBody?(hash: Uint8Array, location: BodyLocation, end: number): CopyBody | undefined
  /**
   * The shared picture of one mailbox, up to date with the last commit; who has just read that the mailbox is at `atLeast` may have it as it was then,
   * which saves a read. Throws `StoreError` `no-such-mailbox`.
   */
  snapshot(account: AccountId, mailbox: MailboxId, atLeast?: ModSeq): Awaitable<MailboxSnapshot>
  /** Calls `listener` after commits that changed `account`, until the function it returns is called. */
  watch(account: AccountId, listener: (hint: ChangeHint) => void): () => void
  /**
   * Removes what nobody needs any more, compacts the bodies, and brings the search index up to date where it is filled by this thread, now. All of it goes
   * by itself from time to time.
   */
  maintain(): Promise<MaintenanceReport>
  /** Waits for what is under way, then closes. */
  close(): Promise<void>
}
