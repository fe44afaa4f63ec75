// Bytes that have arrived and were not read yet: lines, counted bytes and chunks are cut off its front.
//
// Views, not copies: what is taken is a `subarray` of what the socket gave, wherever it lies in one chunk. Who keeps it longer
// than the command copies it, or it pins its whole chunk (up to 64 KiB). Small pieces are gathered, so that a peer
// who sends single bytes costs a byte each and not a Buffer each.
import { ConnectionError } from './connection-error.ts'

const LF = 0x0a
const CR = 0x0d
const gatherBytes = 4096

/** How the last line that was taken ended. */
export type LineEnding = 'crlf' | 'lf'

export class InputBuffer {
  #chunks: Buffer[] = []
  #byteLength = 0
  /** Bytes at the front that are known to hold no LF. */
  #scanned = 0
  /** Room behind the last chunk, where small pieces are copied to; its first `#gathered` bytes are used. */
  #room: Buffer | undefined
  #gathered = 0
  #lineEnding: LineEnding = 'crlf'

  get byteLength(): number {
    return this.#byteLength
  }

  get lineEnding(): LineEnding {
    return this.#lineEnding
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#byteLength += chunk.length
    if (this.#chunks.length === 0 || chunk.length >= gatherBytes) {
      this.#room = undefined
      this.#chunks.push(chunk)
      return
    }
    if (this.#room && this.#gathered + chunk.length <= this.#room.length) {
      const last = this.#chunks[this.#chunks.length - 1] as Buffer
      chunk.copy(this.#room, this.#gathered)
      this.#chunks[this.#chunks.length - 1] = this.#room.subarray(
        this.#gathered - last.length,
        this.#gathered + chunk.length,
      )
      this.#gathered += chunk.length
      return
    }
    this.#room = Buffer.alloc(gatherBytes)
    chunk.copy(this.#room)
    this.#gathered = chunk.length
    this.#chunks.push(this.#room.subarray(0, chunk.length))
  }

  /** Puts bytes back in front of all others. */
  unread(rest: Buffer): void {
    if (rest.length === 0) return
    if (this.#chunks.length === 0) this.#room = undefined
    this.#chunks.unshift(rest)
    this.#byteLength += rest.length
    this.#scanned = 0
  }

  /**
   * The next line without its CRLF or LF, or undefined when it has not arrived whole.
   * Throws `LineTooLong` when it has more than `maxBytes` (without the line ending) and leaves it in place.
   */
  takeLine(maxBytes: number): Buffer | undefined {
    const head = this.#chunks[0]
    if (!head) return undefined
    const end = this.#scanned < head.length ? head.indexOf(LF, this.#scanned) : -1
    if (end !== -1) {
      const length = end > 0 && head[end - 1] === CR ? end - 1 : end
      if (length > maxBytes) throw tooLong(maxBytes)
      this.#lineEnding = length < end ? 'crlf' : 'lf'
      const line = head.subarray(0, length)
      this.#cut(end + 1)
      return line
    }
    return this.#takeLineAcross(maxBytes)
  }

  #takeLineAcross(maxBytes: number): Buffer | undefined {
    const end = this.#indexOfLf()
    if (end === -1) {
      // One more may be the CR of its CRLF.
      if (this.#byteLength > maxBytes + 1) throw tooLong(maxBytes)
      return undefined
    }
    if (end > maxBytes + 1) throw tooLong(maxBytes)
    const whole = this.#joined(end)
    const isCrlf = end > 0 && whole[end - 1] === CR
    const line = isCrlf ? whole.subarray(0, end - 1) : whole
    if (line.length > maxBytes) throw tooLong(maxBytes)
    this.#lineEnding = isCrlf ? 'crlf' : 'lf'
    this.#cut(end + 1)
    return line
  }

  /** Throws away everything up to and including the next LF; false when it has not arrived, with nothing left. */
  skipLine(): boolean {
    const end = this.#indexOfLf()
    this.#cut(end === -1 ? this.#byteLength : end + 1)
    return end !== -1
  }

  /** Exactly `count` bytes, which must be there. */
  take(count: number): Buffer {
    const bytes = this.#joined(count)
    this.#cut(count)
    return bytes
  }

  /** The first chunk or its first `maxBytes`; undefined when there is none. Never copies. */
  takeChunk(maxBytes: number): Buffer | undefined {
    const head = this.#chunks[0]
    if (!head) return undefined
    const chunk = head.length <= maxBytes ? head : head.subarray(0, maxBytes)
    this.#cut(chunk.length)
    return chunk
  }

  clear(): void {
    this.#chunks = []
    this.#byteLength = 0
    this.#scanned = 0
    this.#room = undefined
  }

  /** Before a long wait: a small rest no longer pins the big chunk that it is the end of. */
  compact(): void {
    const head = this.#chunks[0]
    if (!head || this.#chunks.length > 1 || head.length >= gatherBytes) return
    if (head.buffer.byteLength < 4 * head.length + 1024) return
    const room = Buffer.alloc(gatherBytes)
    head.copy(room)
    this.#chunks[0] = room.subarray(0, head.length)
    this.#room = room
    this.#gathered = head.length
  }

  /** Position of the first LF, -1 if there is none; remembers how far it looked. */
  #indexOfLf(): number {
    let start = 0
    for (const chunk of this.#chunks) {
      const next = start + chunk.length
      if (next > this.#scanned) {
        const found = chunk.indexOf(LF, Math.max(0, this.#scanned - start))
        if (found !== -1) return start + found
        this.#scanned = next
      }
      start = next
    }
    return -1
  }

  /** The first `count` bytes as one Buffer; they stay where they are. */
  #joined(count: number): Buffer {
    const head = this.#chunks[0]
    if (head && head.length >= count) return head.subarray(0, count)
    const joined = Buffer.alloc(count)
    let filled = 0
    for (const chunk of this.#chunks) {
      if (filled >= count) break
      filled += chunk.copy(joined, filled, 0, count - filled)
    }
    return joined
  }

  #cut(count: number): void {
    this.#byteLength -= count
    this.#scanned = 0
    let rest = count
    while (rest > 0) {
      const head = this.#chunks[0] as Buffer
      if (rest < head.length) {
        this.#chunks[0] = head.subarray(rest)
        return
      }
      rest -= head.length
      this.#chunks.shift()
    }
    if (this.#chunks.length === 0) this.#room = undefined
  }
}

function tooLong(maxBytes: number): ConnectionError {
  return new ConnectionError('LineTooLong', `a line is longer than ${maxBytes} bytes`)
}
