// Output that was written and not yet given to the socket: gathered, then handed over as one write.
import type { Writable } from 'node:stream'

/** So few bytes are copied in less time than several pieces take on their way. */
const fewBytes = 8 * 1024

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

  /** Empties itself into `stream` by one write: strings and small pieces joined, anything else by one `writev` without a copy. */
  flushTo(stream: Writable): void {
    const pieces = this.#pieces
    const length = this.#length
    this.clear()
    if (pieces.length === 1) stream.write(pieces[0])
    else if (pieces.every(piece => typeof piece === 'string')) stream.write(pieces.join(''))
    else if (length <= fewBytes) stream.write(joined(pieces))
    else {
      stream.cork()
      for (const piece of pieces) stream.write(piece)
      stream.uncork()
    }
  }
}

function joined(pieces: readonly (Buffer | string)[]): Buffer {
  let length = 0
  for (const piece of pieces) length += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const piece of pieces) at += typeof piece === 'string' ? bytes.write(piece, at) : piece.copy(bytes, at)
  return bytes
}
