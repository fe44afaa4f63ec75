// How many sessions each account has, over all threads of one process.
//
// Invariants:
// - One table in shared memory with a row for each thread. A thread writes to its own row alone and clears it when it begins, so one that died leaves nothing.
// - Only the rows of threads that there have been are looked at.
// - Accounts whose numbers are `slots` apart share a count: in a store of that many, a bound may be reached a little early.
import type { AccountId } from '../base/ids.ts'

const slots = 65_536
const maxThreads = 64

const rowBytes = slots * Uint16Array.BYTES_PER_ELEMENT

/** Makes the table; behind its rows it has how many of them are in use. Memory is taken where accounts are counted only. */
export function allocateSessionCounts(): SharedArrayBuffer {
  return new SharedArrayBuffer(maxThreads * rowBytes + Int32Array.BYTES_PER_ELEMENT)
}

export class SessionCounts {
  readonly #rows: readonly Uint16Array[]
  readonly #own: Uint16Array
  readonly #rowsInUse: Int32Array

  /** The view of thread number `index`, which has no sessions yet. */
  constructor(index: number, table: SharedArrayBuffer) {
    this.#rows = Array.from({ length: maxThreads }, (_, row) => new Uint16Array(table, row * rowBytes, slots))
    const own = index % maxThreads
    this.#own = this.#rows[own] as Uint16Array
    this.#rowsInUse = new Int32Array(table, maxThreads * rowBytes)
    for (let known = this.#countRows(); known <= own; known = this.#countRows()) {
      Atomics.compareExchange(this.#rowsInUse, 0, known, own + 1)
    }
    for (let slot = 0; slot < slots; slot++) if (Atomics.load(this.#own, slot) !== 0) this.#own[slot] = 0
  }

  add(account: AccountId, by: 1 | -1): void {
    Atomics.add(this.#own, account % slots, by)
  }

  of(account: AccountId): number {
    let count = 0
    for (let row = this.#countRows() - 1; row >= 0; row--) {
      count += Atomics.load(this.#rows[row] as Uint16Array, account % slots)
    }
    return count
  }

  #countRows(): number {
    return Atomics.load(this.#rowsInUse, 0)
  }
}
