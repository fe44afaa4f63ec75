// The text of a message in which SEARCH looks, decoded. RFC 9051 §6.4.4; RFC 2047; RFC 2045 §6.
//
// A search and the index read messages by these functions alone, so that they cannot differ.
import { limits } from '../base/limits.ts'
import { isAscii } from './case-map.ts'
import { decodeCharset } from './charset.ts'
import { decodeWords } from './encoded-word.ts'
import { fieldsOf, headerBlock, unfold } from './header.ts'
import { htmlTextPieces } from './html.ts'
import type { PartNode } from './sections.ts'
import { headerLines } from './text.ts'
import { decodeTransfer } from './transfer.ts'

/** What `searchableTexts` asks for, gives, or allows. */
export type TextStep =
  /** Bytes of the message are wanted: `next` takes them. */
  | { readonly kind: 'read'; readonly start: number; readonly end: number }
  /** A text in which a match may lie; no match lies across two. */
  | { readonly kind: 'text'; readonly text: string; readonly isHeader: boolean }
  /** Some milliseconds have passed: others may run. */
  | { readonly kind: 'pause' }

/** The texts of a part and of those inside it: the headers of all of them, where wanted, and the leaves that are text. */
export function* searchableTexts(
  part: PartNode,
  withHeaders: boolean,
): Generator<TextStep, void, Buffer | undefined> {
  if (withHeaders && part.bodyStart > part.headerStart) {
    const end = Math.min(part.bodyStart, part.headerStart + limits.message.headerBytes)
    const bytes = yield { kind: 'read', start: part.headerStart, end }
    if (bytes) yield { kind: 'text', text: headerLines(bytes), isHeader: true }
  }
  yield* textsWithin(part, withHeaders)
}

/** The same but for the part's own header: `searchableHeader` has that of a message. Recursion is as deep as parts nest. */
export function* textsWithin(
  part: PartNode,
  withHeaders: boolean,
): Generator<TextStep, void, Buffer | undefined> {
  // A message can have thousands of parts.
  yield { kind: 'pause' }
  if (part.children.length > 0) for (const child of part.children) yield* searchableTexts(child, withHeaders)
  // RFC 9051 §6.4.4 lets leaves other than text and message alone.
  else if (part.type === 'text' || part.type === 'message') yield* leafTexts(part)
}

/** HTML comes twice: as it is written, which a program may mean, and as its reader sees it. */
function* leafTexts(part: PartNode): Generator<TextStep, void, Buffer | undefined> {
  if (part.bodyEnd === part.bodyStart) return
  const bytes = yield { kind: 'read', start: part.bodyStart, end: part.bodyEnd }
  if (!bytes) return
  const text = decodeCharset(decodeTransfer(bytes, part.encoding), part.charset)
  yield { kind: 'text', text, isHeader: false }
  if (part.type !== 'text' || part.subtype !== 'html') return
  const pieces: string[] = []
  for (const piece of htmlTextPieces(text)) {
    pieces.push(piece)
    yield { kind: 'pause' }
  }
  yield { kind: 'text', text: pieces.join(''), isHeader: false }
}

/** Bytes at the front of a message in which its header fields are read. */
export function searchableHeaderBytes(headerBytes: number): number {
  return Math.min(headerBytes, limits.message.headerBytes)
}

/** The values of a message's header fields as they stand, by lower-case name (Latin-1). `head` holds `searchableHeaderBytes` at least. */
export function rawHeaderValues(head: Buffer, headerBytes: number): Map<string, string[]> {
  const block = headerBlock(head, 0, Math.min(headerBytes, head.length))
  const raw = new Map<string, string[]>()
  for (const { name, valueStart, end } of fieldsOf(block)) addTo(raw, name, block.slice(valueStart, end))
  return raw
}

/** A value of `rawHeaderValues` as SEARCH compares it, before it is folded. */
export function decodeHeaderValue(raw: string): string {
  return decodeWords(unfold(raw))
}

/**
 * All that SEARCH looks for in the header of a message, read once: a text with the words of the one that `searchableTexts` gives of it, and the decoded
 * values of its fields by lower-case name, whose words the text has too.
 */
export function searchableHeader(
  head: Buffer,
  headerBytes: number,
): { readonly text: string; readonly values: ReadonlyMap<string, readonly string[]> } {
  const block = headerBlock(head, 0, Math.min(headerBytes, head.length))
  // What is ASCII comes first: it is cut to words without being folded.
  const plain: string[] = []
  const others: string[] = []
  const values = new Map<string, string[]>()
  for (const { name, start, valueStart, end } of fieldsOf(block)) {
    const value = decodeHeaderValue(block.slice(valueStart, end))
    addTo(values, name, value)
    const label = block.slice(start, valueStart)
    // A strange name may change how the line is decoded, and a line that is cut has less of the value.
    const isWhole = plainLabel.test(label) && end - start <= limits.message.fieldBytes
    const texts = isAscii(value) && isWhole ? plain : others
    texts.push(isWhole ? label : decodeWords(unfold(block.slice(start, end))), value)
  }
  return { text: [...plain, ...others].join('\n'), values }
}

/** No encoded word begins in it, and no character of it is dropped. */
const plainLabel = /^[\w-]+:$/

function addTo(values: Map<string, string[]>, name: string, value: string): void {
  const others = values.get(name)
  if (others) others.push(value)
  else values.set(name, [value])
}
