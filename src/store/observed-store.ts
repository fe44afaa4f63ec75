// A store that tells what changed it, and lets a test make it fail.
import type { AccountId, BlobHash, MailboxId, ModSeq } from '../base/ids.ts'
import type { Awaitable } from '../base/awaitable.ts'
import type { EmailColumnCache } from './email-columns.ts'
import type { MailboxSnapshot } from './mailbox-snapshot.ts'
import type { MutationArgs, MutationName, MutationResult } from './mutations.ts'
import type { SearchIndex } from './search/search-index.ts'
import type { BodyRef, ChangeHint, MaintenanceReport, Nodes, Reader, StagedBody, Store } from './store.ts'

export interface StoreObserver {
  /** Before a change; what it throws is what the change fails with. */
  readonly before: (name: MutationName) => Awaitable<void>
  /** After the commit. */
  readonly after: (name: MutationName, args: unknown, result: unknown) => void
}

export class ObservedStore implements Store {
  readonly #store: Store
  readonly #observer: StoreObserver

  constructor(store: Store, observer: StoreObserver) {
    this.#store = store
    this.#observer = observer
  }

  get reader(): Reader {
    return this.#store.reader
  }

  async mutate<Name extends MutationName>(
    name: Name,
    args: MutationArgs<Name>,
  ): Promise<MutationResult<Name>> {
    await this.#observer.before(name)
    const result = await this.#store.mutate(name, args)
    this.#observer.after(name, args, result)
    return result
  }

  get emailColumns(): EmailColumnCache {
    return this.#store.emailColumns
  }

  get searchIndex(): SearchIndex {
    return this.#store.searchIndex
  }

  get nodes(): Nodes | undefined {
    return this.#store.nodes
  }

  stageBody(): StagedBody {
    return this.#store.stageBody()
  }

  bodyOf(bytes: Uint8Array): BodyRef {
    return this.#store.bodyOf(bytes)
  }

  readBody(account: AccountId, hash: BlobHash, start?: number, end?: number): Awaitable<Buffer> {
    return this.#store.readBody(account, hash, start, end)
  }

  snapshot(account: AccountId, mailbox: MailboxId, atLeast?: ModSeq): Awaitable<MailboxSnapshot> {
    return this.#store.snapshot(account, mailbox, atLeast)
  }

  watch(account: AccountId, listener: (hint: ChangeHint) => void): () => void {
    return this.#store.watch(account, listener)
  }

  maintain(): Promise<MaintenanceReport> {
    return this.#store.maintain()
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
