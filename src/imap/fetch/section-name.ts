// What stands between the brackets of BODY[…]. RFC 9051 §6.4.5.1, §9 (section).
import { limits } from '../../base/limits.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { isAtom } from '../input/syntax.ts'

export type SectionName =
  | { readonly kind: 'BODY' | 'HEADER' | 'TEXT' | 'MIME'; readonly path: readonly number[] }
  | {
      readonly kind: 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT'
      readonly path: readonly number[]
      /** Latin-1, as the client spelt them. */
      readonly fields: readonly string[]
    }

/** `<offset.count>` behind a section. */
export interface Partial {
  readonly offset: number
  readonly count: number
}

/** Reads `[section]`. */
export function parseSection(parser: Parser): SectionName {
  parser.expect('[')
  const path = parsePath(parser)
  const section = path.endsWithDot || !parser.peek(']') ? parseText(parser, path.path) : whole(path.path)
  parser.expect(']')
  return section
}

/** Reads `[1.2]`: the sections that BINARY takes (RFC 3516 §4.4). */
export function parseBinarySection(parser: Parser): readonly number[] {
  parser.expect('[')
  const { path, endsWithDot } = parsePath(parser)
  if (endsWithDot || !parser.peek(']')) throw bad('BINARY takes a part number only')
  parser.expect(']')
  return path
}

function whole(path: readonly number[]): SectionName {
  return { kind: 'BODY', path }
}

function parsePath(parser: Parser): { readonly path: readonly number[]; readonly endsWithDot: boolean } {
  const path: number[] = []
  while (parser.isDigitNext) {
    path.push(parser.nzNumber())
    // Deeper parts than these are never told apart (limits.message.depth counts both multiparts and messages).
    if (path.length > limits.message.depth * 2) throw bad('a part number is too deep')
    if (!parser.take('.')) return { path, endsWithDot: false }
  }
  return { path, endsWithDot: path.length > 0 }
}

function parseText(parser: Parser, path: readonly number[]): SectionName {
  const word = parser.itemName()
  switch (word) {
    case 'HEADER':
    case 'TEXT':
      return { kind: word, path }
    case 'MIME':
      // RFC 9051 §6.4.5.1: MIME must be prefixed by a part number.
      if (path.length === 0) throw bad('MIME needs a part number')
      return { kind: word, path }
    case 'HEADER.FIELDS':
    case 'HEADER.FIELDS.NOT': {
      parser.sp()
      const fields = parser.list(() => parseFieldName(parser))
      if (fields.length === 0) throw bad('name at least one header field')
      return { kind: word, path, fields }
    }
    default:
      throw bad('there is no such section')
  }
}

function parseFieldName(parser: Parser): string {
  const name = parser.astringBytes().toString('latin1')
  if (name === '') throw bad('a header field has a name')
  return name
}

/** Reads `<offset.count>` if it is next. */
export function parsePartial(parser: Parser): Partial | undefined {
  if (!parser.take('<')) return undefined
  const offset = parser.number64()
  parser.expect('.')
  const count = parser.number64()
  // RFC 9051 §9 (partial): nz-number64.
  if (count === 0) throw bad('a partial of no bytes is not allowed')
  parser.expect('>')
  return { offset, count }
}

/** The section as answers name it, brackets and all, in Latin-1: keywords in capitals, field names as the client spelt them. */
export function formatSection(section: SectionName): string {
  const prefix = section.path.join('.')
  if (section.kind === 'BODY') return `[${prefix}]`
  const text = prefix === '' ? section.kind : `${prefix}.${section.kind}`
  if (section.kind !== 'HEADER.FIELDS' && section.kind !== 'HEADER.FIELDS.NOT') return `[${text}]`
  return `[${text} (${section.fields.map(formatAstring).join(' ')})]`
}

/** Latin-1 as an astring. */
function formatAstring(text: string): string {
  if (isAtom(text) && text.toUpperCase() !== 'NIL') return text
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e) return `{${text.length}}\r\n${text}`
  }
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
