// Large buffers for output, each used again and again: memory that is new costs more than what is written into it, and a collector that frees it costs most.

/** Bytes of one. */
export const pieceBytes = 256 * 1024
/** So many are kept. */
const kept = 4

/** The pieces of one thread. Give back one that nobody reads any more. */
export class PiecePool {
  readonly #free: Buffer[] = []

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)
  }

  give(piece: Buffer): void {
    if (this.#free.length < kept) this.#free.push(piece)
  }
}
