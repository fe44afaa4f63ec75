// The text of a message in which SEARCH looks, decoded. RFC 9051 §6.4.4; RFC 2047; RFC 2045 §6.
//
// A search and the index read messages by these functions alone, so that they cannot differ.
import { limits } from '../base/limits.ts'
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

/** The texts of a part and of those inside it: the headers of all of them, where wanted, and the leaves that are text. Recursion is as deep as parts nest. */
export function* searchableTexts(
  part: PartNode,
  withHeaders: boolean,
): Generator<TextStep, void, Buffer | undefined> {
  // A message can have thousands of parts.
  yield { kind: 'pause' }
  if (withHeaders && part.bodyStart > part.headerStart) {
    const end = Math.min(part.bodyStart, part.headerStart + limits.message.headerBytes)
    const bytes = yield { kind: 'read', start: part.headerStart, end }
    if (bytes) yield { kind: 'text', text: headerLines(bytes), isHeader: true }
  }
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
  for (const { name, valueStart, end } of fieldsOf(block)) {
    const value = block.slice(valueStart, end)
    const others = raw.get(name)
    if (others) others.push(value)
    else raw.set(name, [value])
  }
  return raw
}

/** A value of `rawHeaderValues` as SEARCH compares it, before it is folded. */
export function decodeHeaderValue(raw: string): string {
  return decodeWords(unfold(raw))
}
