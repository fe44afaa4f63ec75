// What TOP sends of a message: its header, the empty line, and some lines of its body. RFC 1939 §7.

const LF = 0x0a
const CR = 0x0d

/** Cuts one message that comes in chunks. Lines end with LF, bare or not, as clients count them. */
export class TopLines {
  #linesLeft: number
  #isInBody = false
  /** Whether nothing but CR stands in the line so far. */
  #isLineEmpty = true

  /** `lines` of the body. */
  constructor(lines: number) {
    this.#linesLeft = lines
  }

  get isDone(): boolean {
    return this.#isInBody && this.#linesLeft === 0
  }

  /** The part of `chunk` that is sent; ask for no more once `isDone`. */
  take(chunk: Buffer): Buffer {
    let at = 0
    while (at < chunk.length && !this.isDone) {
      const lf = chunk.indexOf(LF, at)
      const end = lf === -1 ? chunk.length : lf
      for (let i = at; this.#isLineEmpty && i < end; i++) this.#isLineEmpty = chunk[i] === CR
      if (lf === -1) return chunk
      if (this.#isInBody) this.#linesLeft--
      else if (this.#isLineEmpty) this.#isInBody = true
      this.#isLineEmpty = true
      at = lf + 1
    }
    return at === chunk.length ? chunk : chunk.subarray(0, at)
  }
}
