// What SEARCH reads of one message: its row, its header fields, and its text, decoded. RFC 9051 §6.4.4; RFC 2047; RFC 2045 §6.
import type { Awaitable } from '../../base/awaitable.ts'
import { limits } from '../../base/limits.ts'
import { decodeCharset } from '../../message/charset.ts'
import { decodeWords } from '../../message/encoded-word.ts'
import { fieldsOf, headerBlock, unfold } from '../../message/header.ts'
import { htmlTextPieces } from '../../message/html.ts'
import { type PartNode, unpackParts } from '../../message/sections.ts'
import { headerLines } from '../../message/text.ts'
import { decodeTransfer } from '../../message/transfer.ts'
import type { EmailRow } from '../fetch/email-rows.ts'
import type { Collation } from './collation.ts'
import type { TextNeedle } from './search-key.ts'

/** What a scan asks of its surroundings. */
export interface ScanSource {
  /** Reads bytes of the message. Throws `StoreError` `no-such-body`. */
  read(start: number, end: number): Awaitable<Buffer>
  /** Lets others run. Throws ConnectionError when nobody waits for the answer any more. */
  breathe(): Awaitable<void>
}

/** Characters that are folded and looked through at a time. */
const sliceLength = 128 * 1024
/** So many characters before and behind a match could change how it is folded: a base letter and its marks. */
const foldMargin = 64

export class MessageContent {
  readonly row: EmailRow
  /** The first bytes of the message: the header block at least, where a key reads bytes. */
  readonly #head: Buffer | undefined
  /** Values as they stand, by lower-case name: the header is gone through once, however many keys ask. */
  #raw: ReadonlyMap<string, readonly string[]> | undefined
  readonly #fold: Collation['fold']
  /** Folded values by lower-case name. */
  readonly #values = new Map<string, readonly string[]>()
  #found: ReadonlySet<TextNeedle> | undefined

  /** `fold`: the session's comparator's. */
  constructor(row: EmailRow, head: Buffer | undefined, fold: Collation['fold']) {
    this.row = row
    this.#head = head
    this.#fold = fold
  }

  /** The values of all fields of that name (lower case, Latin-1), decoded and folded. */
  valuesOf(name: string): readonly string[] {
    const known = this.#values.get(name)
    if (known) return known
    this.#raw ??= this.#readHeader()
    const values = (this.#raw.get(name) ?? []).map(value => this.#fold(decodeWords(unfold(value))))
    this.#values.set(name, values)
    return values
  }

  #readHeader(): ReadonlyMap<string, readonly string[]> {
    if (!this.#head) throw new Error('a key reads bytes that it did not ask for')
    const block = headerBlock(this.#head, 0, Math.min(this.row.header_bytes, this.#head.length))
    const raw = new Map<string, string[]>()
    for (const { name, valueStart, end } of fieldsOf(block)) {
      const value = block.slice(valueStart, end)
      const others = raw.get(name)
      if (others) others.push(value)
      else raw.set(name, [value])
    }
    return raw
  }

  /** Whether `scan` found it. */
  has(needle: TextNeedle): boolean {
    if (!this.#found) throw new Error('a key looks for text that was not scanned')
    return this.#found.has(needle)
  }

  /**
   * Looks for all the needles at once, as each text is decoded once, and until all are found. Of the message only headers and text are read.
   */
  async scan(needles: readonly TextNeedle[], source: ScanSource): Promise<void> {
    const scanner = new Scanner(needles, this.#head, source, this.#fold)
    await scanner.part(unpackParts(this.row.parts))
    this.#found = scanner.found
  }
}

class Scanner {
  readonly found = new Set<TextNeedle>()
  readonly #needles: readonly TextNeedle[]
  readonly #inHeaders: boolean
  readonly #head: Buffer | undefined
  readonly #source: ScanSource
  readonly #fold: Collation['fold']
  /** What two slices share, so that no match falls between them. A character outside the BMP can fold to one inside it. */
  readonly #overlap: number

  constructor(
    needles: readonly TextNeedle[],
    head: Buffer | undefined,
    source: ScanSource,
    fold: Collation['fold'],
  ) {
    this.#fold = fold
    this.#needles = needles
    this.#inHeaders = needles.some(({ inHeaders }) => inHeaders)
    this.#head = head
    this.#source = source
    this.#overlap = 2 * (Math.max(0, ...needles.map(({ text }) => text.length)) + foldMargin)
    // The empty string is a part of any text, even of none.
    for (const needle of needles) if (needle.text === '') this.found.add(needle)
  }

  /** Looks through a part and those inside it. Recursion is as deep as parts nest, which parsing bounds. */
  async part(part: PartNode): Promise<void> {
    if (this.#isDone) return
    // A message can have thousands.
    const breath = this.#source.breathe()
    if (breath !== undefined) await breath
    if (this.#inHeaders && part.bodyStart > part.headerStart) {
      const end = Math.min(part.bodyStart, part.headerStart + limits.message.headerBytes)
      await this.#look(headerLines(await this.#bytes(part.headerStart, end)), true)
    }
    if (part.children.length > 0) for (const child of part.children) await this.part(child)
    // RFC 9051 §6.4.4 lets leaves other than text and message alone.
    else if (part.type === 'text' || part.type === 'message') await this.#leaf(part)
  }

  /** HTML is looked through twice: as it is written, which a program may mean, and as its reader sees it. */
  async #leaf(part: PartNode): Promise<void> {
    if (this.#isDone || part.bodyEnd === part.bodyStart) return
    const bytes = await this.#bytes(part.bodyStart, part.bodyEnd)
    const text = decodeCharset(decodeTransfer(bytes, part.encoding), part.charset)
    await this.#look(text, false)
    if (part.type === 'text' && part.subtype === 'html' && !this.#isDone) {
      await this.#look(await this.#readable(text), false)
    }
  }

  /** What a reader of HTML sees; of a long text in turns with others. */
  async #readable(html: string): Promise<string> {
    const pieces: string[] = []
    for (const piece of htmlTextPieces(html)) {
      pieces.push(piece)
      const breath = this.#source.breathe()
      if (breath !== undefined) await breath
    }
    return pieces.join('')
  }

  async #look(text: string, isHeader: boolean): Promise<void> {
    const step = sliceLength + this.#overlap
    for (let start = 0; ; start += sliceLength) {
      const folded = this.#fold(text.length <= step ? text : text.slice(start, start + step))
      for (const needle of this.#needles) {
        if (isHeader && !needle.inHeaders) continue
        if (folded.includes(needle.text)) this.found.add(needle)
      }
      if (start + step >= text.length || this.#isDone) return
      const breath = this.#source.breathe()
      if (breath !== undefined) await breath
    }
  }

  get #isDone(): boolean {
    return this.found.size === this.#needles.length
  }

  #bytes(start: number, end: number): Awaitable<Buffer> {
    const head = this.#head
    return head && end <= head.length ? head.subarray(start, end) : this.#source.read(start, end)
  }
}
