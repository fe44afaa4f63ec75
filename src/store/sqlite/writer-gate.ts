// Whether other threads may make small changes themselves now (`direct-writer.ts`), in memory that they share with the writer.

const waitingCell = 0
const openCell = 1
const unsyncedCell = 2

export class WriterGate {
  readonly #cells: Int32Array<SharedArrayBuffer>

  /** A new one, closed, or that of another thread. */
  constructor(buffer = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)) {
    this.#cells = new Int32Array(buffer)
  }

  /** For the other thread. */
  get buffer(): SharedArrayBuffer {
    return this.#cells.buffer
  }

  /** The writer has taken mutations; with a negative number, answered them. */
  wait(mutations: number): void {
    Atomics.add(this.#cells, waitingCell, mutations)
  }

  open(): void {
    Atomics.store(this.#cells, openCell, 1)
  }

  close(): void {
    Atomics.store(this.#cells, openCell, 0)
  }

  /** A change was committed whose sync is still to come. True when the writer does not know so yet and has to be told. */
  markUnsynced(): boolean {
    return Atomics.exchange(this.#cells, unsyncedCell, 1) === 0
  }

  /** The writer syncs what has been committed up to now. */
  clearUnsynced(): void {
    Atomics.store(this.#cells, unsyncedCell, 0)
  }

  get isUnsynced(): boolean {
    return Atomics.load(this.#cells, unsyncedCell) === 1
  }

  /** It is open, and the writer has nothing to do. */
  get isFree(): boolean {
    return Atomics.load(this.#cells, openCell) === 1 && Atomics.load(this.#cells, waitingCell) === 0
  }
}
