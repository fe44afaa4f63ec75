// Writes responses. RFC 9051 §7 and §9. The one place that makes bytes for a client; it refuses CR, LF and NUL where the grammar has none.
//
// A buffer grows while one command is answered and goes to the connection in large pieces; none is kept while a session is idle.
import type { Awaitable } from '../base/awaitable.ts'
import type { Connection } from '../net/connection.ts'
import { isAtom } from './input/syntax.ts'

const firstBytes = 2048
const pieceBytes = 64 * 1024
/** They have room in one piece. */
const numbersAtOnce = 1024
/** Longer values go as literals: quoted strings of any length are legal, but lines should stay readable to simple clients. */
const maxQuotedBytes = 1000

export class Encoder {
  readonly #connection: Connection
  #buffer: Buffer | undefined
  #used = 0

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Room for `count` more bytes in one piece. */
  #reserve(count: number): Buffer {
    const buffer = this.#buffer
    if (buffer && this.#used + count <= buffer.length) return buffer
    return this.#grow(count)
  }

  #grow(count: number): Buffer {
    const old = this.#buffer
    if (old && this.#used + count <= pieceBytes) {
      const larger = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(old.length * 4, this.#used + count)))
      old.copy(larger, 0, 0, this.#used)
      this.#buffer = larger
      return larger
    }
    this.send()
    this.#buffer = Buffer.allocUnsafe(old ? Math.max(pieceBytes, count) : Math.max(firstBytes, count))
    return this.#buffer
  }

  /** Gives what was written to the connection, which sends it with the rest of this turn's output. */
  send(): void {
    if (this.#buffer && this.#used > 0) this.#connection.write(this.#buffer.subarray(0, this.#used))
    this.#buffer = undefined
    this.#used = 0
  }

  /** Sends, and waits while the client reads too slowly. */
  drain(): Awaitable<void> {
    this.send()
    return this.#connection.drain()
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
      const next = Math.trunc(rest / 10)
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
      const buffer = this.#reserve((to - from) * 11)
      let used = this.#used
      for (let at = from; at < to; at++) {
        const number = numbers[places[at] as number] as number
        buffer[used++] = 0x20
        let end = used + 1
        for (let power = 10; power <= number; power *= 10) end++
        let rest = number
        for (let digit = end - 1; digit >= used; digit--) {
          const next = Math.floor(rest / 10)
          buffer[digit] = 0x30 + rest - next * 10
          rest = next
        }
        used = end
      }
      this.#used = used
    }
    return this
  }

  /** Bytes that are in wire form already. */
  bytes(bytes: Uint8Array): this {
    if (bytes.length > pieceBytes / 2) {
      this.send()
      this.#connection.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
      return this
    }
    const buffer = this.#reserve(bytes.length)
    buffer.set(bytes, this.#used)
    this.#used += bytes.length
    return this
  }

  /** A value in wire form, as bytes or as ASCII. */
  wire(value: string | Uint8Array): this {
    if (typeof value !== 'string') return this.bytes(value)
    if (value.length > pieceBytes / 2) return this.bytes(Buffer.from(value, 'latin1'))
    const buffer = this.#reserve(value.length)
    this.#used += buffer.write(value, this.#used, 'latin1')
    return this
  }

  /** `{n}` and the bytes; `~{n}` for binary ones. The bytes must not change any more. */
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
