// Writes responses. RFC 9051 §7 and §9. The one place that makes bytes for a client; it refuses CR, LF and NUL where the grammar has none.
//
// A buffer grows while one command is answered and goes to the connection in large pieces; none is kept while a session is idle.
import type { Awaitable } from '../base/awaitable.ts'
import { decimalBytes, putDecimal, viewOf } from '../base/decimal.ts'
import type { Connection } from '../net/connection.ts'
import { pieceBytes, type PiecePool } from '../net/piece-pool.ts'
import { isAtom } from './input/syntax.ts'

const firstBytes = 2048
/** What grows beyond this becomes a piece. */
const smallBytes = 16 * 1024
/** Values up to this length stand in one piece. */
const largeBytes = 32 * 1024
/** They have room in one piece. */
const numbersAtOnce = 1024
/** Longer values go as literals: quoted strings of any length are legal, but lines should stay readable to simple clients. */
const maxQuotedBytes = 1000

export class Encoder {
  readonly #connection: Connection
  readonly #pieces: PiecePool
  #buffer: Buffer | undefined
  #used = 0
  /** Pieces that the connection has not let go of yet. */
  #sent: Buffer[] = []

  constructor(connection: Connection, pieces: PiecePool) {
    this.#connection = connection
    this.#pieces = pieces
  }

  /** Room for `count` more bytes in one piece. */
  #reserve(count: number): Buffer {
    const buffer = this.#buffer
    if (buffer && this.#used + count <= buffer.length) return buffer
    return this.#grow(count)
  }

  #grow(count: number): Buffer {
    const old = this.#buffer
    const needed = this.#used + count
    if (old && needed <= pieceBytes) {
      const isSmall = needed <= smallBytes
      const larger = isSmall ? Buffer.allocUnsafe(Math.max(old.length * 4, needed)) : this.#pieces.take()
      old.copy(larger, 0, 0, this.#used)
      this.#buffer = larger
      return larger
    }
    this.#sendPiece()
    if (count > pieceBytes) this.#buffer = Buffer.allocUnsafe(count)
    else if (old || count > smallBytes) this.#buffer = this.#pieces.take()
    else this.#buffer = Buffer.allocUnsafe(Math.max(firstBytes, count))
    return this.#buffer
  }

  #sendPiece(): void {
    const buffer = this.#buffer
    if (!buffer) return
    const bytes = buffer.subarray(0, this.#used)
    this.#buffer = undefined
    this.#used = 0
    if (buffer.length !== pieceBytes) {
      if (bytes.length > 0) this.#connection.write(bytes)
      return
    }
    // A client who does not read is not to hold much more memory than he was written bytes.
    if (this.#connection.outputBytes > 0 && bytes.length < pieceBytes / 2) {
      this.#connection.write(Buffer.from(bytes))
      this.#pieces.give(buffer)
      return
    }
    this.#connection.write(bytes)
    this.#sent.push(buffer)
    this.#connection.flush()
    this.#takeBack()
  }

  /** The pieces can be used again once the connection has sent everything. */
  #takeBack(): void {
    if (this.#sent.length === 0 || this.#connection.outputBytes > 0) return
    for (const piece of this.#sent) this.#pieces.give(piece)
    this.#sent = []
  }

  /** Gives what was written to the connection, which sends it with the rest of this turn's output. */
  send(): void {
    this.#sendPiece()
    this.#sent = []
  }

  /** Sends, and waits while the client reads too slowly. */
  drain(): Awaitable<void> {
    this.#sendPiece()
    const drained = this.#connection.drain()
    return drained instanceof Promise ? drained.then(() => this.#takeBack()) : undefined
  }

  /** The same once the client is behind; until then what comes goes on in the same piece. */
  drainIfBehind(): Awaitable<void> {
    return this.#connection.drain() === undefined ? undefined : this.drain()
  }

  /** Text of the grammar itself: ASCII that we wrote. */
  ascii(text: string): this {
    const buffer = this.#reserve(text.length)
    let at = this.#used
    if (text.length < 24) for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i)
    else at += buffer.write(text, at, 'latin1')
    this.#used = at
    return this
  }

  /** One untagged or tagged line of ASCII. */
  line(text: string): this {
    return this.ascii(text).crlf()
  }

  /** Text for people, as UTF-8; anything that could end the line becomes a space. */
  text(text: string): this {
    return isPlain(text) ? this.ascii(text) : this.bytes(Buffer.from(text.replace(/[\0\r\n]/g, ' ')))
  }

  crlf(): this {
    const buffer = this.#reserve(2)
    buffer[this.#used++] = 13
    buffer[this.#used++] = 10
    return this
  }

  byte(value: number): this {
    this.#reserve(1)[this.#used++] = value
    return this
  }

  number(value: number): this {
    if (value > 0xffff_ffff) return this.ascii(String(value))
    const buffer = this.#reserve(10)
    let digits = 1
    for (let power = 10; power <= value; power *= 10) digits++
    let rest = value
    for (let at = this.#used + digits - 1; at >= this.#used; at--) {
      const next = (rest / 10) >>> 0
      buffer[at] = 0x30 + rest - next * 10
      rest = next
    }
    this.#used += digits
    return this
  }

  /** ` 2 84 882`: those of `numbers` that `places` names, each below 2^32. In one loop, since a SEARCH may find a hundred thousand. */
  numbers(numbers: Uint32Array, places: Uint32Array): this {
    for (let from = 0; from < places.length; from += numbersAtOnce) {
      const to = Math.min(from + numbersAtOnce, places.length)
      const view = viewOf(this.#reserve((to - from) * (1 + decimalBytes)))
      let used = this.#used
      for (let at = from; at < to; at++) {
        view.setUint8(used, 0x20)
        used = putDecimal(view, used + 1, numbers[places[at] as number] as number)
      }
      this.#used = used
    }
    return this
  }

  /** Bytes that are in wire form already. */
  bytes(bytes: Uint8Array): this {
    if (bytes.length <= largeBytes) {
      this.#reserve(bytes.length).set(bytes, this.#used)
      this.#used += bytes.length
      return this
    }
    this.fill(bytes.length, (target, at, from, to) => {
      target.set(bytes.subarray(from, to), at)
      return true
    })
    return this
  }

  /** Up to `most` bytes that `write` puts into `target` from `at` on, in one piece; it gives where they end. */
  place(most: number, write: (target: Buffer, at: number) => number): this {
    this.#used = write(this.#reserve(most), this.#used)
    return this
  }

  /** `count` bytes that `write` puts right into the output: those from `from` to `to` at a place of `target`. Gives how many before it said that it can't. */
  fill(count: number, write: (target: Buffer, at: number, from: number, to: number) => boolean): number {
    for (let from = 0; from < count; ) {
      if (this.#used + count - from > (this.#buffer?.length ?? 0)) this.#makeRoom(count - from)
      const buffer = this.#buffer as Buffer
      const to = Math.min(count, from + buffer.length - this.#used)
      if (!write(buffer, this.#used, from, to)) return from
      this.#used += to - from
      from = to
    }
    return count
  }

  /** Room for `count` bytes, or for a good part of them. */
  #makeRoom(count: number): void {
    const buffer = this.#buffer
    if (buffer?.length === pieceBytes && pieceBytes - this.#used >= largeBytes) return
    this.#reserve(Math.min(count, pieceBytes))
  }

  /** A value in wire form, as bytes or as ASCII. */
  wire(value: string | Uint8Array): this {
    if (typeof value !== 'string') return this.bytes(value)
    if (value.length > largeBytes) return this.bytes(Buffer.from(value, 'latin1'))
    const buffer = this.#reserve(value.length)
    this.#used += buffer.write(value, this.#used, 'latin1')
    return this
  }

  /** `{n}` and the bytes; `~{n}` for binary ones. */
  literal(bytes: Uint8Array, isBinary = false): this {
    return this.ascii(`${isBinary ? '~' : ''}{${bytes.length}}\r\n`).bytes(bytes)
  }

  /** A string: quoted where that can hold it, else a literal. A JavaScript string goes out as UTF-8. */
  string(value: string | Uint8Array, mayQuoteUtf8 = false): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    if (!isQuotable(bytes, mayQuoteUtf8)) return this.literal(bytes)
    const buffer = this.#reserve(bytes.length * 2 + 2)
    let at = this.#used
    buffer[at++] = 0x22
    for (const byte of bytes) {
      if (byte === 0x22 || byte === 0x5c) buffer[at++] = 0x5c
      buffer[at++] = byte
    }
    buffer[at++] = 0x22
    this.#used = at
    return this
  }

  /** An atom where it can be one, else a string. */
  astring(value: string, mayQuoteUtf8 = false): this {
    return isAtom(value) && value.toUpperCase() !== 'NIL'
      ? this.ascii(value)
      : this.string(value, mayQuoteUtf8)
  }

  nstring(value: string | Uint8Array | null): this {
    return value === null ? this.ascii('NIL') : this.string(value)
  }
}

/** Whether a text is ASCII without controls, as nearly all are. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}

function isQuotable(bytes: Uint8Array, mayQuoteUtf8: boolean): boolean {
  if (bytes.length > maxQuotedBytes) return false
  for (const byte of bytes) {
    if (byte < 0x20 || byte === 0x7f) return false
    if (byte >= 0x80 && !mayQuoteUtf8) return false
  }
  return true
}
