// The lexical tokens that structured fields share. RFC 5322 §3.2, §4.1; RFC 2045 §5.1.
//
// Lenient as mail needs it: any byte over 127 is a letter, and a folded line is white space.
// Each read moves `at` forward over text that is gone through once, so that all of them together are linear.
import { limits } from '../base/limits.ts'

const ATEXT = 1
const TOKEN = 2
const SPACE = 4

const classes = charClasses()

function charClasses(): Uint8Array {
  const table = new Uint8Array(256)
  for (let char = 0; char < 256; char++) {
    const letter = String.fromCharCode(char)
    const isAtext = char > 127 || /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]/.test(letter)
    const isToken = char > 127 || (char > 32 && char < 127 && !'()<>@,;:\\"/[]?='.includes(letter))
    table[char] = (isAtext ? ATEXT : 0) | (isToken ? TOKEN : 0)
  }
  for (const space of ' \t\r\n') table[space.charCodeAt(0)] = SPACE
  return table
}

function classOf(char: number): number {
  return char < 256 ? (classes[char] ?? 0) : ATEXT | TOKEN
}

/** Whether a character may stand in an atom (RFC 5322 §3.2.3). */
export function isAtext(char: number): boolean {
  return (classOf(char) & ATEXT) !== 0
}

/** Whether a character may stand in a MIME token (RFC 2045 §5.1). */
export function isTokenChar(char: number): boolean {
  return (classOf(char) & TOKEN) !== 0
}

/** A cursor over the Latin-1 text of one field. A read gives undefined where its token does not stand. */
export class Lexer {
  readonly text: string
  readonly end: number
  at: number
  /** What the last comment that was skipped says; empty after `forgetComment`. */
  comment = ''
  /** A comment or a quoted string was not closed: everything to the end belonged to it. */
  isBroken = false

  constructor(text: string, at = 0, end = Math.min(text.length, limits.message.fieldBytes)) {
    this.text = text
    this.at = at
    this.end = end
  }

  get isAtEnd(): boolean {
    return this.at >= this.end
  }

  /** The character code at the cursor, or NaN at the end. */
  peek(): number {
    return this.at < this.end ? this.text.charCodeAt(this.at) : Number.NaN
  }

  forgetComment(): void {
    this.comment = ''
  }

  /** Skips white space and comments (CFWS). False at the end of the text. */
  skipSpace(): boolean {
    const { text, end } = this
    while (this.at < end) {
      const char = text.charCodeAt(this.at)
      if ((classOf(char) & SPACE) !== 0) this.at++
      else if (char === 40) this.#skipComment()
      else return true
    }
    return false
  }

  #skipComment(): void {
    const { text, end } = this
    const pieces: string[] = []
    let depth = 1
    let start = this.at + 1
    let at = start
    for (; at < end; at++) {
      const char = text.charCodeAt(at)
      if (char === 40) {
        if (++depth > limits.message.comments) break
      } else if (char === 41) {
        if (--depth === 0) {
          pieces.push(text.slice(start, at))
          this.comment = pieces.join('')
          this.at = at + 1
          return
        }
      } else if (char === 92 || char === 10 || char === 13) {
        pieces.push(text.slice(start, at))
        start = at + 1
        if (char === 92) at++
      }
    }
    this.isBroken = true
    this.at = end
  }

  /** 1*atext, without what is around it. */
  readAtom(): string | undefined {
    return this.#readClass(ATEXT, false)
  }

  /** Atoms and dots in a row, possibly none. */
  readAtomOrDot(): string {
    return this.#readClass(ATEXT, true) ?? ''
  }

  /** A MIME token (RFC 2045 §5.1). */
  readToken(): string | undefined {
    return this.#readClass(TOKEN, false)
  }

  #readClass(mask: number, dots: boolean): string | undefined {
    const { text, end, at: start } = this
    let at = start
    for (; at < end; at++) {
      const char = text.charCodeAt(at)
      if ((classOf(char) & mask) === 0 && !(dots && char === 46)) break
    }
    if (at === start) return undefined
    this.at = at
    return text.slice(start, at)
  }

  /** A quoted string at the cursor, without quotes, backslashes and line ends. Undefined when it is never closed. */
  readQuoted(): string | undefined {
    const { text, end } = this
    let start = this.at + 1
    const close = text.indexOf('"', start)
    if (close !== -1 && close < end && isPlain(text, start, close)) {
      this.at = close + 1
      return text.slice(start, close)
    }
    const pieces: string[] = []
    for (let at = start; at < end; at++) {
      const char = text.charCodeAt(at)
      if (char === 34) {
        pieces.push(text.slice(start, at))
        this.at = at + 1
        return pieces.join('')
      }
      if (char === 92 || char === 10 || char === 13) {
        pieces.push(text.slice(start, at))
        start = at + 1
        if (char === 92) at++
      }
    }
    this.isBroken = true
    this.at = end
    return undefined
  }
}

function isPlain(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const char = text.charCodeAt(at)
    if (char === 92 || char === 10 || char === 13) return false
  }
  return true
}
