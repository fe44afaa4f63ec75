// The parts of a message that FETCH names: BODY[…], BINARY[…]. RFC 9051 §6.4.5, §6.4.5.1.
//
// A part tree is packed into a few bytes once, when the message arrives, and every section is then answered by
// offsets into the stored body.
import { limits } from '../base/limits.ts'
import { fieldName, findFieldEnd, isBlankLine } from './header.ts'
import { parameterOf } from './parameters.ts'
import type { Part } from './part.ts'

/** What `unpackParts` gives back of a part: enough for every section, and for decoding it. */
export interface PartNode {
  /** In lower case. */
  readonly type: string
  readonly subtype: string
  /** In lower case; `us-ascii` for a text that does not say, empty for other types. */
  readonly charset: string
  /** The transfer encoding, in lower case. */
  readonly encoding: string
  readonly headerStart: number
  readonly bodyStart: number
  readonly bodyEnd: number
  readonly children: readonly PartNode[]
}

/** The bytes of a section in the message, and what they are. */
export interface Section {
  readonly start: number
  readonly end: number
  /** The transfer encoding of the part: what BINARY undoes. `7bit` for anything that is not a part's body. */
  readonly encoding: string
  readonly part: PartNode
}

export type SectionKind = 'BODY' | 'HEADER' | 'TEXT' | 'MIME'

// The packed form, in preorder. For each part: varints of headerStart (from where the part before it started),
// bodyStart - headerStart, bodyEnd - bodyStart, the number of children; then four strings with their lengths.
const FORMAT = 1

/** Packs a part tree. */
export function packParts(part: Part): string {
  const out: number[] = [FORMAT]
  packPart(part, 0, out)
  return latin1(out)
}

function packPart(part: Part, previousStart: number, out: number[]): void {
  writeVarint(part.headerStart - previousStart, out)
  writeVarint(part.bodyStart - part.headerStart, out)
  writeVarint(part.bodyEnd - part.bodyStart, out)
  writeVarint(part.children.length, out)
  writeText(part.type, out)
  writeText(part.subtype, out)
  writeText(part.type === 'text' ? charsetOf(part) : '', out)
  writeText(part.encoding, out)
  let start = part.headerStart
  for (const child of part.children) {
    packPart(child, start, out)
    start = child.headerStart
  }
}

function charsetOf(part: Part): string {
  return parameterOf(part.params, 'charset')?.toLowerCase() ?? 'us-ascii'
}

const NAME_MAX = 100

function writeText(text: string, out: number[]): void {
  const length = Math.min(text.length, NAME_MAX)
  out.push(length)
  for (let at = 0; at < length; at++) out.push(text.charCodeAt(at) & 0xff)
}

function writeVarint(value: number, out: number[]): void {
  while (value > 127) {
    out.push((value % 128) + 128)
    value = Math.floor(value / 128)
  }
  out.push(value)
}

function latin1(bytes: readonly number[]): string {
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; at += 4096) {
    pieces.push(String.fromCharCode(...bytes.slice(at, at + 4096)))
  }
  return pieces.join('')
}

/** The tree that `summarize` packed. Throws on bytes that it cannot have made. */
export function unpackParts(packed: Uint8Array): PartNode {
  if (packed[0] !== FORMAT) throw new Error('packed parts of an unknown format')
  const reader = new PackedReader(packed)
  return reader.readPart(0, 0)
}

class PackedReader {
  readonly #bytes: Uint8Array
  #at = 1

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  readPart(previousStart: number, depth: number): PartNode {
    if (depth > limits.message.depth) throw new Error('packed parts nest too deep')
    const headerStart = previousStart + this.#readVarint()
    const bodyStart = headerStart + this.#readVarint()
    const bodyEnd = bodyStart + this.#readVarint()
    const count = this.#readVarint()
    const type = this.#readText()
    const subtype = this.#readText()
    const charset = this.#readText()
    const encoding = this.#readText()
    const children: PartNode[] = []
    let start = headerStart
    for (let index = 0; index < count; index++) {
      const child = this.readPart(start, depth + 1)
      children.push(child)
      start = child.headerStart
    }
    return { type, subtype, charset, encoding, headerStart, bodyStart, bodyEnd, children }
  }

  #readByte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new Error('packed parts are cut short')
    return byte
  }

  #readVarint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.#readByte()
      if (byte < 128) return value + byte * scale
      value += (byte - 128) * scale
      scale *= 128
    }
  }

  #readText(): string {
    const length = this.#readByte()
    const start = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) throw new Error('packed parts are cut short')
    let text = ''
    for (let at = start; at < this.#at; at++) text += String.fromCharCode(this.#bytes[at] ?? 0)
    return text
  }
}

/** Whether a part is a message of its own, so that parts are counted inside it and HEADER and TEXT mean its own. */
export function isMessagePart(part: PartNode): boolean {
  return part.type === 'message' && part.subtype === 'rfc822' && part.children.length === 1
}

/**
 * The part with this section number: RFC 9051 §6.4.5.1. An empty path is the message itself. Part 1 of a message
 * that is not a multipart is its body; the numbers inside a message/rfc822 are those of the message it holds.
 */
export function findPart(root: PartNode, path: readonly number[]): PartNode | undefined {
  let part = root
  // The numbers count the parts of a message, be it the whole or the one that a message/rfc822 holds.
  let isMessage = true
  for (const number of path) {
    if (!isMessage && isMessagePart(part)) {
      part = part.children[0] ?? part
      isMessage = true
    }
    if (part.type === 'multipart') {
      const child =
        part.children[number - 1] ??
        (part.children.length === 0 && number === 1 ? emptyPart(part) : undefined)
      if (child === undefined) return undefined
      part = child
    } else if (!isMessage || number !== 1) return undefined
    isMessage = false
  }
  return part
}

/** BODYSTRUCTURE shows an empty text in a multipart without parts, so it can be fetched. */
function emptyPart(part: PartNode): PartNode {
  const at = part.bodyStart
  const text = { type: 'text', subtype: 'plain', charset: 'us-ascii', encoding: '7bit' }
  return { ...text, headerStart: at, bodyStart: at, bodyEnd: at, children: [] }
}

/**
 * The bytes of a section; undefined when the message has no such part, or the part has no such thing (RFC 9051
 * §6.4.5: HEADER and TEXT of a part are only those of a message/rfc822, MIME needs a number).
 */
export function findSection(root: PartNode, path: readonly number[], kind: SectionKind): Section | undefined {
  const part = findPart(root, path)
  if (part === undefined) return undefined
  const isWhole = path.length === 0
  switch (kind) {
    case 'BODY':
      return isWhole
        ? { start: root.headerStart, end: root.bodyEnd, encoding: '7bit', part }
        : { start: part.bodyStart, end: part.bodyEnd, encoding: part.encoding, part }
    case 'MIME':
      return isWhole ? undefined : { start: part.headerStart, end: part.bodyStart, encoding: '7bit', part }
    case 'HEADER':
    case 'TEXT': {
      const message = isWhole ? root : isMessagePart(part) ? part.children[0] : undefined
      if (message === undefined) return undefined
      return kind === 'HEADER'
        ? { start: message.headerStart, end: message.bodyStart, encoding: '7bit', part: message }
        : { start: message.bodyStart, end: message.bodyEnd, encoding: '7bit', part: message }
    }
  }
}

const BLANK_LINE = Buffer.from('\r\n')

/**
 * HEADER.FIELDS or, with `not`, HEADER.FIELDS.NOT of a header block, with the blank line that ends it (RFC 9051
 * §6.4.5). Names match in any case; fields keep their order, folding and bytes.
 */
export function headerFields(headerBlock: Buffer, names: readonly string[], not: boolean): Buffer {
  const wanted = new Set(names.map(name => name.toLowerCase()))
  const longest = names.reduce((length, name) => Math.max(length, name.length), 0)
  const block = headerBlock.toString('latin1')
  const pieces: Buffer[] = []
  let start = 0
  let end = 0
  for (let at = 0; at < block.length && !isBlankLine(block, at); ) {
    const next = findFieldEnd(block, at)
    if (wanted.has(fieldName(block, at, next, longest)) !== not) {
      if (at !== end) {
        if (end > start) pieces.push(headerBlock.subarray(start, end))
        start = at
      }
      end = next
    }
    at = next
  }
  if (end > start) pieces.push(headerBlock.subarray(start, end))
  const last = pieces.at(-1)
  if (last !== undefined && last.at(-1) !== 10) pieces.push(BLANK_LINE)
  pieces.push(BLANK_LINE)
  return Buffer.concat(pieces)
}
