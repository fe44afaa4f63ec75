// Content on its way out: every line ends with CRLF, whatever the stored bytes hold, and dots are doubled. RFC 5321 §2.3.8, §4.5.2.

const CR = 0x0d
const LF = 0x0a
const DOT = 0x2e
const crlf = Buffer.from('\r\n')
const lf = Buffer.from('\n')
const dot = Buffer.from('.')

/**
 * Makes content safe to send: a bare CR or LF becomes CRLF (no smuggling outbound, CVE-2023-51764), and for DATA a dot at the start of a line is doubled.
 * `push` gives pieces to write (views of the chunk); `end` gives the last ones.
 */
export class DataWriter {
  readonly #stuffs: boolean
  #isAfterCr = false
  #isLineStart = true

  constructor(command: 'DATA' | 'BDAT') {
    this.#stuffs = command === 'DATA'
  }

  push(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = []
    let start = 0
    const upTo = (end: number) => {
      if (end > start) pieces.push(chunk.subarray(start, end))
      start = end
    }
    let isAfterCr = this.#isAfterCr
    let isLineStart = this.#isLineStart
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] as number
      if (isAfterCr) {
        isAfterCr = false
        if (byte === LF) {
          isLineStart = true
          continue
        }
        upTo(i)
        pieces.push(lf)
        isLineStart = true
      }
      if (byte === CR) {
        isAfterCr = true
        continue
      }
      if (byte === LF) {
        upTo(i)
        pieces.push(crlf)
        start = i + 1
        isLineStart = true
        continue
      }
      if (isLineStart) {
        isLineStart = false
        if (byte === DOT && this.#stuffs) {
          upTo(i)
          pieces.push(dot)
        }
      }
    }
    upTo(chunk.length)
    this.#isAfterCr = isAfterCr
    this.#isLineStart = isLineStart
    return pieces
  }

  /** Ends the last line if need be; for DATA also the content. */
  end(): Buffer {
    const open = this.#isAfterCr ? '\n' : this.#isLineStart ? '' : '\r\n'
    return Buffer.from(this.#stuffs ? `${open}.\r\n` : open)
  }
}
