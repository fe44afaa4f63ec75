// A store over SQLite: reads here, changes by the writer, which is in this thread or in another.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, BlobHash, MailboxId, ModSeq } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import type { AccountCounts } from '../account-counts.ts'
import { bodyOf } from '../bodies/body-of.ts'
import type { BodySource } from '../bodies/body-source.ts'
import { EmailColumnCache } from '../email-columns.ts'
import { StoreError } from '../error.ts'
import type { MailboxSnapshot } from '../mailbox-snapshot.ts'
import type { MutationArgs, MutationName, MutationResult } from '../mutations.ts'
import type { SearchIndex } from '../search/search-index.ts'
import { forgetRemoved } from '../snapshots/forget-removed.ts'
import type { SnapshotCache } from '../snapshots/snapshot-cache.ts'
import type {
  BodyLocation,
  BodyRef,
  ChangeHint,
  CopyBody,
  MaintenanceReport,
  Reader,
  StagedBody,
  Store,
} from '../store.ts'
import { Watchers } from '../watchers.ts'
import type { Connection } from './connection.ts'
import type { WhenCommitted } from './connection-reader.ts'
import { findStorageError } from './storage-error.ts'

/** What differs between a store in memory, one that writes itself, and one that asks the writer's thread. */
export interface SqliteStoreParts {
  readonly connection: Connection
  readonly reader: Reader
  readonly whenCommitted: WhenCommitted
  readonly snapshots: SnapshotCache
  readonly bodies: BodySource
  readonly searchIndex: SearchIndex
  readonly log: Log
  /** Where the writer, in another thread, sees who is watched. */
  readonly watched?: AccountCounts
  mutate(name: MutationName, args: unknown): Promise<unknown>
  stageBody(): StagedBody
  /** Undefined where the writer is in another process. */
  maintain?(): Promise<MaintenanceReport>
  close(): Promise<void>
}

/** Compaction moves bodies: how often a reader looks for one again before it gives up. */
const bodyAttempts = 4

export class SqliteStore implements Store {
  readonly #parts: SqliteStoreParts
  readonly #watchers: Watchers
  readonly emailColumns: EmailColumnCache
  #closing: Promise<void> | undefined

  constructor(parts: SqliteStoreParts) {
    this.#parts = parts
    this.#watchers = new Watchers(parts.log, parts.watched)
    this.emailColumns = new EmailColumnCache(parts.reader, parts.searchIndex)
  }

  get reader(): Reader {
    return this.#parts.reader
  }

  mutate<Name extends MutationName>(name: Name, args: MutationArgs<Name>): Promise<MutationResult<Name>> {
    if (this.#closing) return Promise.reject(new StoreError('unavailable', 'the store is closed'))
    const change = this.#parts.mutate(name, args) as Promise<MutationResult<Name>>
    return forgetRemoved(this.#parts.snapshots, name, args, change)
  }

  /** One process has it alone. */
  readonly nodes = undefined

  get searchIndex(): SearchIndex {
    return this.#parts.searchIndex
  }

  stageBody(): StagedBody {
    return this.#parts.stageBody()
  }

  bodyOf(bytes: Uint8Array): BodyRef {
    return bodyOf(bytes)
  }

  readBody(account: AccountId, hash: BlobHash, start = 0, end?: number): Awaitable<Buffer> {
    return this.#parts.whenCommitted(() => this.#readBody(account, hash, start, end, bodyAttempts))
  }

  openBody(hash: Uint8Array, location: BodyLocation, end: number): CopyBody | undefined {
    try {
      return this.#parts.bodies.open?.(hash, location, end)
    } catch (error) {
      throw findStorageError(error) ?? error
    }
  }

  snapshot(account: AccountId, mailbox: MailboxId, atLeast?: ModSeq): Awaitable<MailboxSnapshot> {
    return this.#parts.whenCommitted(() => this.#parts.snapshots.get(account, mailbox, atLeast))
  }

  packAhead(account: AccountId, mailbox: MailboxId): Promise<void> {
    return this.#parts.snapshots.packAhead(account, mailbox)
  }

  watch(account: AccountId, listener: (hint: ChangeHint) => void): () => void {
    return this.#watchers.watch(account, listener)
  }

  maintain(): Promise<MaintenanceReport> {
    return (
      this.#parts.maintain?.() ??
      Promise.reject(new StoreError('unavailable', 'the writer is in another process'))
    )
  }

  /** Calls `listener` after each commit with what it changed, until the store is closed. */
  watchAll(listener: (hints: readonly ChangeHint[]) => void): void {
    this.#watchers.watchAll(listener)
  }

  /** Hints from the writer. */
  tell(hints: readonly ChangeHint[]): void {
    this.#watchers.tell(hints)
  }

  /** Hints may have been lost. */
  tellAll(): void {
    this.#watchers.tellAll()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#parts.close()
    this.#watchers.clear()
    this.#parts.snapshots.clear()
    this.emailColumns.clear()
    this.#parts.bodies.close()
  }

  #readBody(
    account: AccountId,
    hash: BlobHash,
    start: number,
    end: number | undefined,
    attempts: number,
  ): Awaitable<Buffer> {
    const location = this.#locate(account, hash)
    if (!location) throw new StoreError('no-such-body', 'the body is gone')
    if (attempts === 0) throw new StoreError('corrupt', `segment ${location.segment} is missing`)
    const stop = Math.min(end ?? location.sizeBytes, location.sizeBytes)
    const first = Math.max(0, Math.min(start, stop))
    let bytes: Awaitable<Buffer | undefined>
    try {
      bytes = this.#parts.bodies.read(hash, location, first, stop)
    } catch (error) {
      throw findStorageError(error) ?? error
    }
    const retry = (found: Buffer | undefined): Awaitable<Buffer> =>
      found ?? this.#readBody(account, hash, start, end, attempts - 1)
    return bytes instanceof Promise ? bytes.then(retry) : retry(bytes)
  }

  #locate(account: AccountId, hash: BlobHash): BodyLocation | undefined {
    const row = this.#parts.connection.get<Omit<BodyLocation, 'compressed'> & { compressed: number }>(
      `SELECT segment, position AS "offset", stored_bytes AS "storedBytes", size_bytes AS "sizeBytes", compressed
       FROM blob WHERE account = ? AND hash = ?`,
      account,
      Buffer.from(hash, 'hex'),
    )
    return row && { ...row, compressed: row.compressed !== 0 }
  }
}
