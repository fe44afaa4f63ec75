// A counter for each account in memory that threads share, so that one looks at what another did without asking it.
//
// Two uses. Who is watched: a thread that a commit does not concern sleeps on. How often an account was changed: what was read before and is
// counted the same needs no look at the database. Both hold because of an order: count first, then look (the watcher); commit first, then
// count (the writer). Whichever comes first, a change is seen or heard of.
import type { AccountId } from '../base/ids.ts'

/** Accounts share counters: one that moved for another's sake does no harm. */
const slots = 4096

export class AccountCounts {
  readonly #counts: Int32Array<SharedArrayBuffer>

  /** New ones, or those of another thread. */
  constructor(buffer = new SharedArrayBuffer(slots * Int32Array.BYTES_PER_ELEMENT)) {
    this.#counts = new Int32Array(buffer)
  }

  /** For the other thread. */
  get buffer(): SharedArrayBuffer {
    return this.#counts.buffer
  }

  add(account: AccountId, by: 1 | -1 = 1): void {
    Atomics.add(this.#counts, slotOf(account), by)
  }

  /** Of every account there is and will be. */
  addAll(): void {
    for (let slot = 0; slot < slots; slot++) Atomics.add(this.#counts, slot, 1)
  }

  /** Wraps around: compare for equality, or with 0 where all that was added is taken off again. */
  of(account: AccountId): number {
    return Atomics.load(this.#counts, slotOf(account))
  }
}

/** Also of what is not an account, such as the directory's hint. */
function slotOf(account: AccountId): number {
  return (account >>> 0) % slots
}
