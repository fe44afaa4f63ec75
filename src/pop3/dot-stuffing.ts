// Byte-stuffing of a message on its way out. RFC 1939 §3.
//
// A dot is doubled after every LF, also a bare one: many clients take that for the end of a line, and a message could otherwise end its own answer and begin a
// forged one. What has no dot at a line's start passes without a copy.

const LF = 0x0a
const CR = 0x0d
const DOT = 0x2e
const dot = Buffer.from('.')

/** What ends a message that ends with CRLF, with LF, and otherwise. */
const ends = { crlf: '.\r\n', none: '\r\n.\r\n' } as const

/** Stuffs one message that comes in chunks. */
export class DotStuffer {
  #last = LF
  #beforeLast = CR

  /** The pieces to send for `chunk`; views of it. */
  stuff(chunk: Buffer): readonly Buffer[] {
    if (chunk.length === 0) return []
    const pieces: Buffer[] = []
    let start = 0
    if (this.#last === LF && chunk[0] === DOT) pieces.push(dot)
    for (let at = chunk.indexOf('\n.'); at !== -1; at = chunk.indexOf('\n.', at + 1)) {
      pieces.push(chunk.subarray(start, at + 1), dot)
      start = at + 1
    }
    pieces.push(start === 0 ? chunk : chunk.subarray(start))
    this.#beforeLast = chunk.length > 1 ? (chunk[chunk.length - 2] as number) : this.#last
    this.#last = chunk[chunk.length - 1] as number
    return pieces
  }

  /** The end of the answer: the CRLF that the message lacks, and the dot. */
  end(): string {
    return this.#last === LF && this.#beforeLast === CR ? ends.crlf : ends.none
  }
}
