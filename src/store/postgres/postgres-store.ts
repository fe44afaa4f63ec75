// A store over PostgreSQL: any number of them, in any number of processes, on one database.
import type { AccountId, BlobHash, MailboxId, ModSeq } from '../../base/ids.ts'
import { bodyOf } from '../bodies/body-of.ts'
import { EmailColumnCache } from '../email-columns.ts'
import { StoreError } from '../error.ts'
import type { MailboxSnapshot } from '../mailbox-snapshot.ts'
import type { MutationArgs, MutationName, MutationResult } from '../mutations.ts'
import { bodiesIn } from '../mutations/bodies-in.ts'
import type { BodyRef, ChangeHint, MaintenanceReport, Nodes, Reader, StagedBody, Store } from '../store.ts'
import { forgetRemoved } from '../snapshots/forget-removed.ts'
import type { SearchIndex } from '../search/search-index.ts'
import type { Watchers } from '../watchers.ts'
import type { MutationRunner } from './mutation-runner.ts'
import type { RowBodies } from './row-bodies.ts'
import type { PostgresSnapshots } from './snapshots.ts'

export interface PostgresStoreParts {
  readonly reader: Reader
  readonly runner: MutationRunner
  readonly snapshots: PostgresSnapshots
  readonly bodies: RowBodies
  readonly watchers: Watchers
  readonly searchIndex: SearchIndex
  readonly nodes: Nodes
  stageBody(): StagedBody
  maintain(): Promise<MaintenanceReport>
  /** Ends the sessions, once nothing waits. */
  close(): Promise<void>
}

export class PostgresStore implements Store {
  readonly emailColumns: EmailColumnCache
  readonly searchIndex: SearchIndex
  readonly nodes: Nodes
  readonly #parts: PostgresStoreParts
  readonly #preparing = new Set<Promise<() => void>>()
  #closing: Promise<void> | undefined

  constructor(parts: PostgresStoreParts) {
    this.#parts = parts
    this.searchIndex = parts.searchIndex
    this.nodes = parts.nodes
    this.emailColumns = new EmailColumnCache(parts.reader, parts.searchIndex)
  }

  get reader(): Reader {
    return this.#parts.reader
  }

  mutate<Name extends MutationName>(name: Name, args: MutationArgs<Name>): Promise<MutationResult<Name>> {
    if (this.#closing) return Promise.reject(new StoreError('unavailable', 'the store is closed'))
    const { runner, bodies, snapshots } = this.#parts
    const run = () => runner.mutate(name, args) as Promise<MutationResult<Name>>
    const preparing = bodies.prepare(bodiesIn(args))
    return forgetRemoved(snapshots, name, args, preparing ? this.#after(preparing, run) : run())
  }

  stageBody(): StagedBody {
    return this.#parts.stageBody()
  }

  bodyOf(bytes: Uint8Array): BodyRef {
    return bodyOf(bytes)
  }

  readBody(account: AccountId, hash: BlobHash, start = 0, end?: number): Promise<Buffer> {
    return this.#parts.bodies.read(account, hash, start, end)
  }

  snapshot(account: AccountId, mailbox: MailboxId, atLeast?: ModSeq): Promise<MailboxSnapshot> {
    return this.#parts.snapshots.get(account, mailbox, atLeast)
  }

  packAhead(account: AccountId, mailbox: MailboxId): Promise<void> {
    return this.#parts.snapshots.packAhead(account, mailbox)
  }

  watch(account: AccountId, listener: (hint: ChangeHint) => void): () => void {
    return this.#parts.watchers.watch(account, listener)
  }

  maintain(): Promise<MaintenanceReport> {
    return this.#parts.maintain()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Runs `run` when the bodies are where they belong; closing waits for it. */
  async #after<T>(preparing: Promise<() => void>, run: () => Promise<T>): Promise<T> {
    this.#preparing.add(preparing)
    let end: () => void
    try {
      end = await preparing
    } finally {
      this.#preparing.delete(preparing)
    }
    return run().finally(end)
  }

  async #close(): Promise<void> {
    const { runner, watchers, snapshots } = this.#parts
    while (this.#preparing.size > 0) await Promise.allSettled(this.#preparing)
    await runner.close()
    await this.#parts.close()
    watchers.clear()
    snapshots.clear()
    this.emailColumns.clear()
  }
}
