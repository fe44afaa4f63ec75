// How many sessions each account has, over all threads of one process.
//
// Invariants:
// - One table in shared memory with a row for each thread. A thread writes to its own row alone and clears it when it begins, so one that died leaves nothing.
// - Accounts whose numbers are `slots` apart share a count: in a store of that many, a bound may be reached a little early.
import type { AccountId } from '../base/ids.ts'

const slots = 65_536
const maxThreads = 64

/** Makes the table. Memory is taken where accounts are counted only. */
export function allocateSessionCounts(): SharedArrayBuffer {
  return new SharedArrayBuffer(maxThreads * slots * Uint16Array.BYTES_PER_ELEMENT)
}

export class SessionCounts {
  readonly #rows: readonly Uint16Array[]
  readonly #own: Uint16Array

  /** The view of thread number `index`, which has no sessions yet. */
  constructor(index: number, table: SharedArrayBuffer) {
    this.#rows = Array.from(
      { length: maxThreads },
      (_, row) => new Uint16Array(table, row * slots * 2, slots),
    )
    this.#own = this.#rows[index % maxThreads] as Uint16Array
    for (let slot = 0; slot < slots; slot++) if (Atomics.load(this.#own, slot) !== 0) this.#own[slot] = 0
  }

  add(account: AccountId, by: 1 | -1): void {
    Atomics.add(this.#own, account % slots, by)
  }

  of(account: AccountId): number {
    let count = 0
    for (const row of this.#rows) count += Atomics.load(row, account % slots)
    return count
  }
}
