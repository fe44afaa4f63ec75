// Output that was written and not yet given to the socket: gathered, then handed over as one write.
import type { Writable } from 'node:stream'

export class OutputQueue {
  #pieces: (Buffer | string)[] = []
  #length = 0

  /** Bytes, where a string counts its UTF-16 units: near enough for a bound. */
  get length(): number {
    return this.#length
  }

  add(data: Buffer | string): void {
    this.#pieces.push(data)
    this.#length += data.length
  }

  clear(): void {
    this.#pieces = []
    this.#length = 0
  }

  /** Empties itself into `stream` by one write: strings joined, anything else by one `writev` without a copy. */
  flushTo(stream: Writable): void {
    const pieces = this.#pieces
    this.clear()
    if (pieces.length === 1) stream.write(pieces[0])
    else if (pieces.every(piece => typeof piece === 'string')) stream.write(pieces.join(''))
    else {
      stream.cork()
      for (const piece of pieces) stream.write(piece)
      stream.uncork()
    }
  }
}
