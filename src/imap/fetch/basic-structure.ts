// BODY from BODYSTRUCTURE: the same without extension data. RFC 9051 §7.5.2, §9 (body).
//
// Works on the wire form that src/message made, so the grammar is trusted; what does not fit it throws.

const open = 0x28
const close = 0x29
const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const space = 0x20

/** The non-extensible form of a BODYSTRUCTURE. */
export function basicStructure(extended: Uint8Array): Buffer {
  const cutter = new Cutter(extended)
  cutter.body()
  return cutter.result()
}

class Cutter {
  readonly #bytes: Uint8Array
  readonly #kept: Buffer
  #size = 0
  #at = 0
  /** Where what is kept next begins. */
  #from = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#kept = Buffer.alloc(bytes.length)
  }

  /** Reads one `(…)` and keeps its basic fields. */
  body(): void {
    this.#expect(open)
    if (this.#next === open) {
      while (this.#next === open) this.body()
      this.#field()
    } else this.#single()
    this.#keepToHere()
    this.#skipToClose()
    this.#from = this.#at
    this.#expect(close)
  }

  /** type subtype params id description encoding size, then what a message or a text has. */
  #single(): void {
    this.#value()
    for (let fields = 0; fields < 6; fields++) this.#field()
    const [byte, after] = [this.#next, this.#bytes[this.#at + 1]]
    if (byte !== space || after === undefined) return
    if (after === open) {
      // message/rfc822: envelope, body, lines.
      this.#field()
      this.#expect(space)
      this.body()
      this.#field()
    } else if (isDigit(after)) this.#field()
  }

  get #next(): number | undefined {
    return this.#bytes[this.#at]
  }

  #expect(byte: number): void {
    if (this.#next !== byte) throw new Error(`a stored body structure is broken at ${this.#at}`)
    this.#at++
  }

  #field(): void {
    this.#expect(space)
    this.#value()
  }

  /** Passes a string, number, NIL or parenthesised list. */
  #value(): void {
    let depth = 0
    do {
      const byte = this.#next
      if (byte === undefined) throw new Error('a stored body structure is cut short')
      if (byte === quote) this.#quoted()
      else if (byte === openBrace) this.#literal()
      else if (byte === open || byte === close) {
        depth += byte === open ? 1 : -1
        this.#at++
      } else if (byte === space) this.#at++
      else this.#word()
    } while (depth > 0)
  }

  #word(): void {
    for (let byte = this.#next; byte !== undefined && byte !== space && byte !== close && byte !== open; ) {
      byte = this.#bytes[++this.#at]
    }
  }

  #quoted(): void {
    for (this.#at++; this.#next !== quote; this.#at++) {
      if (this.#next === backslash) this.#at++
      if (this.#next === undefined) throw new Error('a stored body structure is cut short')
    }
    this.#at++
  }

  #literal(): void {
    let size = 0
    for (this.#at++; isDigit(this.#next); this.#at++) size = size * 10 + (this.#next as number) - 0x30
    // `}`, CR, LF.
    this.#at += 3 + size
  }

  #keepToHere(): void {
    const piece = this.#bytes.subarray(this.#from, this.#at)
    this.#kept.set(piece, this.#size)
    this.#size += piece.length
    this.#from = this.#at
  }

  #skipToClose(): void {
    while (this.#next === space) this.#field()
  }

  result(): Buffer {
    this.#keepToHere()
    return this.#kept.subarray(0, this.#size)
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}
