// What SEARCH reads of one message: its row, header fields, and text, decoded. RFC 9051 §6.4.4; RFC 2047; RFC 2045 §6.
import { decodeCharset } from '../../message/charset.ts'
import { decodeWords } from '../../message/encoded-word.ts'
import { fieldsOf, headerBlock, unfold } from '../../message/header.ts'
import { type PartNode, unpackParts } from '../../message/sections.ts'
import { decodeTransfer } from '../../message/transfer.ts'
import type { EmailRow } from '../fetch/email-rows.ts'
import { foldCase } from './case-map.ts'
import type { TextNeedle } from './search-key.ts'

export class MessageContent {
  readonly row: EmailRow
  readonly #bytes: Buffer | undefined
  /** Folded values by lower-case name. */
  readonly #values = new Map<string, readonly string[]>()
  #found: ReadonlySet<TextNeedle> | undefined

  /** `bytes` is the header block, or the whole message. */
  constructor(row: EmailRow, bytes: Buffer | undefined) {
    this.row = row
    this.#bytes = bytes
  }

  get #header(): Buffer {
    if (!this.#bytes) throw new Error('a key reads bytes that it did not ask for')
    return this.#bytes.subarray(0, this.row.header_bytes)
  }

  /** The values of all fields of that name (lower case, Latin-1), decoded and folded. */
  valuesOf(name: string): readonly string[] {
    const known = this.#values.get(name)
    if (known) return known
    const block = headerBlock(this.#header, 0, this.row.header_bytes)
    const values: string[] = []
    for (const field of fieldsOf(block)) {
      if (field.name !== name) continue
      values.push(foldCase(decodeWords(unfold(block.slice(field.valueStart, field.end)))))
    }
    this.#values.set(name, values)
    return values
  }

  /** Looks for all the needles at once, as each text is decoded once. Needs the whole message. */
  scan(needles: readonly TextNeedle[]): void {
    const found = new Set<TextNeedle>()
    this.#found = found
    for (const needle of needles) if (needle.text === '') found.add(needle)
    const root = unpackParts(this.row.parts)
    if (needles.some(({ inHeaders }) => inHeaders)) this.#scanHeaders(root, needles, found)
    this.#scanText(root, needles, found)
  }

  /** Whether `scan` found it. */
  has(needle: TextNeedle): boolean {
    if (!this.#found) throw new Error('a key looks for text that was not scanned')
    return this.#found.has(needle)
  }

  #scanHeaders(part: PartNode, needles: readonly TextNeedle[], found: Set<TextNeedle>): void {
    const block = headerBlock(this.#bytes as Buffer, part.headerStart, part.bodyStart)
    for (const field of fieldsOf(block)) {
      const text = foldCase(decodeWords(unfold(block.slice(field.start, field.end))))
      for (const needle of needles) if (needle.inHeaders && text.includes(needle.text)) found.add(needle)
    }
    for (const child of part.children) this.#scanHeaders(child, needles, found)
  }

  /** RFC 9051 §6.4.4 lets leaves other than text and message alone. */
  #scanText(part: PartNode, needles: readonly TextNeedle[], found: Set<TextNeedle>): void {
    for (const child of part.children) this.#scanText(child, needles, found)
    if (found.size === needles.length || part.children.length > 0) return
    if (part.type !== 'text' && part.type !== 'message') return
    const raw = (this.#bytes as Buffer).subarray(part.bodyStart, part.bodyEnd)
    const text = foldCase(decodeCharset(decodeTransfer(raw, part.encoding), part.charset))
    for (const needle of needles) if (text.includes(needle.text)) found.add(needle)
  }
}
