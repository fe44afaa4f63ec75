// The content of DATA as it arrives: finds its end and takes the transparency dots out. RFC 5321 §4.1.1.4, §4.5.2, §2.3.8.
//
// Invariants:
// - Only CR LF . CR LF ends it (CVE-2023-51764, -51765, -51766: SMTP smuggling). What else looks like an end is content.
// - What is passed on are views of the chunk; nothing is copied and nothing is held back but one CR.
// - A CR without LF or an LF without CR is noted in `fault`, or mended when the reader was told to.

const CR = 0x0d
const LF = 0x0a
const DOT = 0x2e
const crByte = Buffer.from('\r')
const lfByte = Buffer.from('\n')

/** What stands before the byte that comes next. */
type Place =
  | 'in-line'
  /** Behind a CR that was passed on. */
  | 'cr'
  | 'line-start'
  /** Behind the dot that begins a line; the dot is not passed on. */
  | 'dot'
  /** Behind CRLF, dot and CR; the CR is not passed on yet. */
  | 'dot-cr'

export type LineFault = 'bare-cr' | 'bare-lf'

export class DataReader {
  readonly #mends: boolean
  readonly #isStuffed: boolean
  #place: Place = 'line-start'
  #fault: LineFault | undefined

  /**
   * `lines`: whether a bare CR or LF is only noted, or made a CRLF as well (for submission, RFC 6409 §8).
   * With 'BDAT' (RFC 3030) dots are content, and the content has no end of its own.
   */
  constructor(lines: 'note' | 'mend', command: 'DATA' | 'BDAT' = 'DATA') {
    this.#mends = lines === 'mend'
    this.#isStuffed = command === 'DATA'
  }

  /** The first bare CR or LF that was met. */
  get fault(): LineFault | undefined {
    return this.#fault
  }

  /**
   * Takes the next chunk and calls `sink` with each piece of content in it. The index behind the final CRLF when the content has ended
   * in this chunk (what follows is commands), else -1.
   */
  push(chunk: Buffer, sink: (piece: Buffer) => void): number {
    const length = chunk.length
    let place = this.#place
    /** First byte that is not passed on. */
    let start = 0
    for (let i = 0; i < length; i++) {
      let byte = chunk[i] as number
      if (place === 'in-line') {
        // Nearly all the bytes there are: nothing but this.
        while (byte > CR && ++i < length) byte = chunk[i] as number
        if (i === length) break
        if (byte === CR) place = 'cr'
        // Mended or not, it begins no line here: a dot behind it ends nothing and is content.
        else if (byte === LF) start = this.#bareLf(chunk, start, i, sink)
        continue
      }
      if (place === 'cr') {
        if (byte === LF) {
          place = 'line-start'
          continue
        }
        start = this.#bareCr(chunk, start, i, sink)
        place = byte === CR ? 'cr' : 'in-line'
        continue
      }
      if (place === 'line-start') {
        if (byte === DOT && this.#isStuffed) {
          if (i > start) sink(chunk.subarray(start, i))
          start = i + 1
          place = 'dot'
        } else if (byte === CR) place = 'cr'
        else {
          place = 'in-line'
          if (byte === LF) start = this.#bareLf(chunk, start, i, sink)
        }
        continue
      }
      if (place === 'dot') {
        if (byte === CR) place = 'dot-cr'
        else {
          place = 'in-line'
          if (byte === LF) start = this.#bareLf(chunk, start, i, sink)
        }
        continue
      }
      // dot-cr
      if (byte === LF) {
        this.#place = 'line-start'
        return i + 1
      }
      if (i === 0) sink(crByte)
      start = this.#bareCr(chunk, start, i, sink)
      place = byte === CR ? 'cr' : 'in-line'
    }
    const end = place === 'dot-cr' && length > 0 ? Math.max(start, length - 1) : length
    if (end > start) sink(chunk.subarray(start, end))
    this.#place = place
    return -1
  }

  /** The content has ended (BDAT LAST): a CR at its end has no LF any more. */
  end(sink: (piece: Buffer) => void): void {
    if (this.#place !== 'cr') return
    this.#place = 'line-start'
    this.#fault ??= 'bare-cr'
    if (this.#mends) sink(lfByte)
  }

  #bareLf(chunk: Buffer, start: number, at: number, sink: (piece: Buffer) => void): number {
    this.#fault ??= 'bare-lf'
    if (!this.#mends) return start
    if (at > start) sink(chunk.subarray(start, at))
    sink(crByte)
    return at
  }

  /** A CR was passed on, or is before `at`, and no LF follows. */
  #bareCr(chunk: Buffer, start: number, at: number, sink: (piece: Buffer) => void): number {
    this.#fault ??= 'bare-cr'
    if (!this.#mends) return start
    if (at > start) sink(chunk.subarray(start, at))
    sink(lfByte)
    return at
  }
}
