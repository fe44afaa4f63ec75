// The grammar of commands as a chain of expectations. RFC 9051 §9, RFC 4466. Synchronous and pure: it reads a whole command and throws BAD.
import type { UidRange } from '../../store/uid-ranges.ts'
import { limits } from '../../base/limits.ts'
import { bad } from '../error.ts'
import { type SequenceSet, star } from '../sequence-set.ts'
import type { CommandInput, Literal } from './command-input.ts'
import { findLiteralHead } from './command-input.ts'
import { syntax } from './syntax.ts'

const space = 0x20
const quote = 0x22
const backslash = 0x5c
const open = 0x28
const close = 0x29
const colon = 0x3a
const comma = 0x2c
const asterisk = 0x2a
const dollar = 0x24
const openBrace = 0x7b
const tilde = 0x7e

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A day as a client names it, without a zone. */
export interface DateOnly {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
}

export class Parser {
  readonly #input: CommandInput
  #piece = 0
  #text: Buffer
  #at = 0
  #depth = 0

  constructor(input: CommandInput) {
    this.#input = input
    this.#text = input.pieces[0]?.text ?? Buffer.alloc(0)
  }

  // Single bytes

  /** Whether the next byte is `char`; it stays. */
  peek(char: string): boolean {
    return this.#text[this.#at] === char.charCodeAt(0)
  }

  /** Takes `char` if it is next. */
  take(char: string): boolean {
    if (!this.peek(char)) return false
    this.#at++
    return true
  }

  expect(char: string): void {
    if (!this.take(char)) throw bad(`expected "${char}" ${this.#where()}`)
  }

  sp(): void {
    if (this.#text[this.#at] !== space) throw bad(`expected a space ${this.#where()}`)
    this.#at++
    // Some clients send two. RFC 9051 forbids it; nothing is ambiguous in taking them.
    while (this.#text[this.#at] === space) this.#at++
  }

  /** Whether there is a space before more; takes it. False at the end. */
  moreAfterSpace(): boolean {
    if (this.isAtEnd || this.#text[this.#at] !== space) return false
    this.sp()
    // A trailing space is tolerated: some clients send one.
    return !this.isAtEnd
  }

  /** The end of the command. */
  end(): void {
    while (this.#text[this.#at] === space) this.#at++
    if (!this.isAtEnd) throw bad(`unexpected text ${this.#where()}`)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length && this.#piece >= this.#input.pieces.length - 1
  }

  /** The text of the last piece that has arrived, up to the literal's head that it ends with, in Latin-1. */
  get lastText(): string {
    const text = this.#input.pieces.at(-1)?.text
    return text?.toString('latin1', 0, findLiteralHead(text)?.start) ?? ''
  }

  /** Bytes of the literals so far that went to the store. */
  get stagedBytes(): number {
    let bytes = 0
    for (const { literal } of this.#input.pieces) if (literal?.kind === 'staged') bytes += literal.sizeBytes
    return bytes
  }

  /** Bytes of the literals that were staged since the last piece of text that holds `mark` (upper case). */
  stagedBytesSince(mark: string): number {
    let bytes = 0
    for (const { text, literal } of this.#input.pieces.toReversed()) {
      if (literal?.kind === 'staged') bytes += literal.sizeBytes
      if (text.toString('latin1').toUpperCase().includes(mark)) break
    }
    return bytes
  }

  // Words

  /** A run of the bytes that `table` allows, as Latin-1; empty when there is none. */
  #run(table: Uint8Array): string {
    const start = this.#at
    while (table[this.#text[this.#at] ?? 0] === 1) this.#at++
    return this.#text.toString('latin1', start, this.#at)
  }

  tag(): string {
    const tag = this.#run(syntax.tag)
    if (tag.length === 0) throw bad('a command begins with a tag')
    return tag
  }

  atom(): string {
    const atom = this.#run(syntax.atom)
    if (atom.length === 0) throw bad(`expected an atom ${this.#where()}`)
    return atom
  }

  /** An atom in upper case: a keyword of the grammar. */
  keyword(): string {
    return this.atom().toUpperCase()
  }

  /** A word such as BODY.PEEK or RFC822.SIZE in upper case, up to a bracket or anything else that no word holds. */
  itemName(): string {
    const start = this.#at
    for (;;) {
      const byte = this.#text[this.#at] ?? 0
      if (syntax.atom[byte] !== 1 || byte === 0x5b || byte === 0x3c) break
      this.#at++
    }
    if (this.#at === start) throw bad(`expected a name ${this.#where()}`)
    return this.#text.toString('latin1', start, this.#at).toUpperCase()
  }

  /** Takes `word` (upper case) if it is next as a whole word. */
  takeKeyword(word: string): boolean {
    const end = this.#at + word.length
    if (end > this.#text.length) return false
    if (this.#text.toString('latin1', this.#at, end).toUpperCase() !== word) return false
    if (syntax.atom[this.#text[end] ?? 0] === 1) return false
    this.#at = end
    return true
  }

  /** Whether `text` (upper case, within one piece) is next, whatever its case. */
  peekText(text: string): boolean {
    return this.#text.toString('latin1', this.#at, this.#at + text.length).toUpperCase() === text
  }

  /** Takes `text` (upper case, within one piece) if it is next, whatever its case. */
  takeText(text: string): boolean {
    if (!this.peekText(text)) return false
    this.#at += text.length
    return true
  }

  /** Bytes of an astring; 8-bit bytes as they came. */
  astringBytes(): Buffer {
    const byte = this.#text[this.#at]
    if (byte === quote) return this.#quoted()
    if (byte === openBrace) return this.#literalBytes(false)
    const start = this.#at
    while (syntax.astring[this.#text[this.#at] ?? 0] === 1) this.#at++
    if (start === this.#at) throw bad(`expected a string ${this.#where()}`)
    return this.#text.subarray(start, this.#at)
  }

  /** An astring that must be UTF-8. */
  astring(): string {
    return decode(this.astringBytes())
  }

  /** Bytes of a string: quoted or literal. */
  stringBytes(): Buffer {
    const byte = this.#text[this.#at]
    if (byte === quote) return this.#quoted()
    if (byte === openBrace) return this.#literalBytes(false)
    throw bad(`expected a quoted string or a literal ${this.#where()}`)
  }

  string(): string {
    return decode(this.stringBytes())
  }

  /** A string or NIL. */
  nstring(): string | null {
    return this.takeKeyword('NIL') ? null : this.string()
  }

  /** LIST's pattern: like an astring, with wildcards allowed unquoted. */
  listMailbox(): string {
    const byte = this.#text[this.#at]
    if (byte === quote || byte === openBrace) return this.string()
    const start = this.#at
    while (syntax.listMailbox[this.#text[this.#at] ?? 0] === 1) this.#at++
    if (start === this.#at) throw bad(`expected a mailbox pattern ${this.#where()}`)
    return decode(this.#text.subarray(start, this.#at))
  }

  #quoted(): Buffer {
    const text = this.#text
    const start = ++this.#at
    let escapes = 0
    for (;;) {
      const byte = text[this.#at]
      if (byte === undefined) throw bad('a quoted string has no end')
      if (byte === quote) break
      if (byte === 0 || byte === 13 || byte === 10) throw bad('NUL, CR and LF can stand in literals only')
      if (byte === backslash) {
        const next = text[this.#at + 1]
        // Only these two may be quoted (RFC 9051 §9, QUOTED-CHAR); others are kept as some clients mean them.
        if (next === quote || next === backslash) {
          escapes++
          this.#at++
        }
      }
      this.#at++
    }
    const raw = text.subarray(start, this.#at++)
    return escapes === 0 ? raw : unescape(raw, raw.length - escapes)
  }

  #literalBytes(mayBeBinary: boolean): Buffer {
    const literal = this.literal()
    if (literal.kind === 'staged') throw bad('a literal is not for this place')
    if (literal.binary && !mayBeBinary) throw bad('a literal8 is not for this place')
    if (!literal.binary && literal.bytes.includes(0)) throw bad('a literal holds NUL; use a literal8')
    return literal.bytes
  }

  /** Whether a literal comes next. */
  get isLiteralNext(): boolean {
    const byte = this.#text[this.#at]
    return byte === openBrace || (byte === tilde && this.#text[this.#at + 1] === openBrace)
  }

  /** Whether the literal that comes next has been received. */
  get hasLiteral(): boolean {
    return this.#input.pieces[this.#piece]?.literal !== undefined
  }

  /** A literal or literal8, as it was received. */
  literal(): Literal {
    const piece = this.#input.pieces[this.#piece]
    const head = piece?.literal && findLiteralHead(piece.text)
    if (!piece?.literal || head?.start !== this.#at) throw bad(`expected a literal ${this.#where()}`)
    this.#piece++
    this.#text = this.#input.pieces[this.#piece]?.text ?? Buffer.alloc(0)
    this.#at = 0
    return piece.literal
  }

  // Numbers

  /** 0 to 2^32-1. */
  number(): number {
    return this.#number(0xffff_ffff)
  }

  /** 1 to 2^32-1. */
  nzNumber(): number {
    const number = this.number()
    if (number === 0) throw bad(`zero is not allowed ${this.#where()}`)
    return number
  }

  /** 0 to 2^63-1 in the grammar; here up to 2^53-1, which no modSeq or size of ours passes. */
  number64(): number {
    return this.#number(Number.MAX_SAFE_INTEGER)
  }

  /** Digits of a number that may be larger than any of ours; up to `most` of them. */
  digits(most: number): string {
    const start = this.#at
    while (this.isDigitNext) this.#at++
    const length = this.#at - start
    if (length === 0 || length > most) throw bad(`expected a number ${this.#where()}`)
    return this.#text.toString('latin1', start, this.#at)
  }

  #number(max: number): number {
    const start = this.#at
    let value = 0
    for (;;) {
      const digit = (this.#text[this.#at] ?? 0) - 0x30
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      if (value > max) throw bad(`a number is too large ${this.#where()}`)
      this.#at++
    }
    if (this.#at === start) throw bad(`expected a number ${this.#where()}`)
    return value
  }

  get isDigitNext(): boolean {
    const byte = this.#text[this.#at] ?? 0
    return byte >= 0x30 && byte <= 0x39
  }

  sequenceSet(): SequenceSet {
    if (this.#text[this.#at] === dollar) {
      this.#at++
      return { kind: 'saved' }
    }
    return { kind: 'ranges', ranges: this.#ranges(true) }
  }

  /** Whether a sequence set could come next (not one by itself in SEARCH's keys otherwise). */
  get isSequenceSetNext(): boolean {
    const byte = this.#text[this.#at]
    return this.isDigitNext || byte === asterisk || byte === dollar
  }

  /** A set of UIDs without `*` or `$`. */
  uidSet(): readonly UidRange[] {
    return this.#ranges(false)
  }

  #ranges(mayHaveStar: boolean): readonly UidRange[] {
    const ranges: UidRange[] = []
    for (;;) {
      const first = this.#seqNumber(mayHaveStar)
      let last = first
      if (this.#text[this.#at] === colon) {
        this.#at++
        last = this.#seqNumber(mayHaveStar)
      }
      ranges.push([first, last])
      if (this.#text[this.#at] !== comma) return ranges
      this.#at++
    }
  }

  #seqNumber(mayBeStar: boolean): number {
    if (mayBeStar && this.#text[this.#at] === asterisk) {
      this.#at++
      return star
    }
    return this.nzNumber()
  }

  // Lists

  /** `(item item …)`, possibly empty. */
  list<T>(item: () => T): T[] {
    this.expect('(')
    this.#deeper()
    const items: T[] = []
    while (this.#text[this.#at] !== close) {
      if (items.length > 0) this.sp()
      items.push(item())
    }
    this.#at++
    this.#depth--
    return items
  }

  /** Runs `inner` one level deeper, bounded by `limits.imap.depth`. */
  nested<T>(inner: () => T): T {
    this.#deeper()
    const result = inner()
    this.#depth--
    return result
  }

  #deeper(): void {
    if (++this.#depth > limits.imap.depth) throw bad('nested too deeply')
  }

  get isListNext(): boolean {
    return this.#text[this.#at] === open
  }

  /** A flag or keyword as written: `\Seen`, `$Forwarded`. */
  flag(): string {
    if (this.take('\\')) return `\\${this.atom()}`
    const keyword = this.atom()
    if (Buffer.byteLength(keyword) > limits.mailbox.keywordBytes) throw bad('a keyword is too long')
    return keyword
  }

  // Dates

  /** `1-Feb-1994`, with or without quotes. */
  date(): DateOnly {
    const isQuoted = this.take('"')
    const text = this.#run(syntax.atom)
    const match = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/.exec(text)
    const month = match ? months.indexOf((match[2] as string).toLowerCase()) + 1 : 0
    if (!match || month === 0) throw bad(`expected a date such as 1-Feb-1994 ${this.#where()}`)
    if (isQuoted) this.expect('"')
    const date = { year: Number(match[3]), month, day: Number(match[1]) }
    if (date.day < 1 || date.day > daysIn(date)) throw bad('there is no such day')
    return date
  }

  /** `"17-Jul-1996 02:44:25 -0700"` as milliseconds since 1970. */
  dateTime(): number {
    const text = this.#quoted().toString('latin1')
    const match = /^([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(text)
    if (!match) throw bad('expected a date and time such as "17-Jul-1996 02:44:25 -0700"')
    const [, day, monthName, year, hour, minute, second, sign, zoneHour, zoneMinute] = match
    const month = months.indexOf((monthName as string).toLowerCase()) + 1
    const date = { year: Number(year), month, day: Number(day) }
    if (month === 0 || date.day < 1 || date.day > daysIn(date)) throw bad('there is no such day')
    if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60 || Number(zoneMinute) > 59) {
      throw bad('there is no such time')
    }
    const zoneMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000 * (sign === '-' ? -1 : 1)
    return utcMs(date) + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 - zoneMs
  }

  /** All that is left of this piece of text, for commands that take a whole line. */
  rest(): Buffer {
    const rest = this.#text.subarray(this.#at)
    this.#at = this.#text.length
    return rest
  }

  #where(): string {
    const rest = this.#text.subarray(this.#at, this.#at + 20)
    if (rest.length === 0) return 'at the end'
    return `at "${rest.toString('latin1').replace(/[^\x20-\x7e]/g, '?')}"`
  }
}

/** Midnight UTC of a day, milliseconds since 1970. */
export function utcMs(date: DateOnly): number {
  // Date.UTC reads years below 100 as 19xx.
  const ms = new Date(0).setUTCFullYear(date.year, date.month - 1, date.day)
  return ms
}

function daysIn(date: DateOnly): number {
  const isLeap = (date.year % 4 === 0 && date.year % 100 !== 0) || date.year % 400 === 0
  if (date.month === 2) return isLeap ? 29 : 28
  return [4, 6, 9, 11].includes(date.month) ? 30 : 31
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw bad('text must be UTF-8')
  }
}

function unescape(raw: Buffer, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let to = 0
  for (let at = 0; at < raw.length; at++) {
    if (raw[at] === backslash && (raw[at + 1] === quote || raw[at + 1] === backslash)) at++
    bytes[to++] = raw[at] as number
  }
  return bytes
}
