// A counter for each account in memory that threads share, so that one looks at what another did without asking it.
//
// Two uses. Who is watched: a thread that a commit does not concern sleeps on, and one that commits tells nobody when nobody else watches.
// How often an account was changed: what was read before and is counted the same needs no look at the database. Both hold because of an order:
// count first, then look (the watcher); commit first, then count (the writer). Whichever comes first, a change is seen or heard of.
import type { AccountId } from '../base/ids.ts'

/** Accounts share counters: one that moved for another's sake does no harm. */
const slots = 4096

export class AccountCounts {
  readonly #counts: Int32Array<SharedArrayBuffer>
  #ofAll = 0
  #sum: AccountCounts | undefined

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
    this.#sum?.add(account, by)
  }

  /** Counts also in `sum`, where others do so too; what is counted already and not of every account goes there now. */
  addTo(sum: AccountCounts): void {
    this.#sum = sum
    for (let slot = 0; slot < slots; slot++) {
      const count = Atomics.load(this.#counts, slot) - this.#ofAll
      if (count !== 0) Atomics.add(sum.#counts, slot, count)
    }
  }

  /** Whether `sum` holds more of the account than these counts have given it. */
  isMore(sum: AccountCounts, account: AccountId): boolean {
    return sum.of(account) !== this.of(account) - this.#ofAll
  }

  /** Of every account there is and will be; not in a sum. */
  addAll(): void {
    this.#ofAll++
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
