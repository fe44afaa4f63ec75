// Large buffers for output, each used again and again: memory that is new costs more than what is written into it, and a collector that frees it costs most.

/** Bytes of one. */
export const pieceBytes = 256 * 1024
/** So many are kept. */
const kept = 4

/** The pieces of one thread. */
export class PiecePool {
  readonly #free: Buffer[] = []
  readonly #own = new WeakSet<ArrayBufferLike>()

  take(): Buffer {
    const free = this.#free.pop()
    if (free) return free
    const piece = Buffer.allocUnsafeSlow(pieceBytes)
    this.#own.add(piece.buffer)
    return piece
  }

  /** Takes back the piece that `bytes` are in, where they are in one. Nobody may read it any more. */
  give({ buffer }: Buffer): void {
    if (this.#own.has(buffer) && this.#free.length < kept) this.#free.push(Buffer.from(buffer))
  }
}
