// BODYSTRUCTURE and BODY for the wire. RFC 9051 §7.5.2 (body structure); RFC 2046 §5.1 (defaults).
import { messageAddresses, writeEnvelope } from './envelope.ts'
import { wireNstring, wireString } from './nstring.ts'
import type { Parameter, Disposition } from './parameters.ts'
import type { Part } from './part.ts'

/** What stands for the parts of a multipart that has none: the grammar needs at least one. */
const EMPTY_PART = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0'

/** The parenthesised body structure, as Latin-1 text; `isExtended` for BODYSTRUCTURE, else BODY. */
export function writeBodyStructure(part: Part, isExtended: boolean): string {
  const out: string[] = []
  writePart(part, isExtended, out)
  return out.join('')
}

/** Recursion here is as deep as parts nest, which parsing bounds. */
function writePart(part: Part, isExtended: boolean, out: string[]): void {
  out.push('(')
  if (part.type === 'multipart') writeMultipart(part, isExtended, out)
  else writeSingle(part, isExtended, out)
  out.push(')')
}

function writeMultipart(part: Part, isExtended: boolean, out: string[]): void {
  for (const child of part.children) writePart(child, isExtended, out)
  if (part.children.length === 0) out.push(EMPTY_PART, isExtended ? ' NIL NIL NIL NIL)' : ')')
  out.push(' ', wireString(part.subtype))
  if (!isExtended) return
  out.push(' ', wireParams(part.params))
  writeExtension(part, out)
}

function writeSingle(part: Part, isExtended: boolean, out: string[]): void {
  const isText = part.type === 'text'
  out.push(wireString(part.type), ' ', wireString(part.subtype), ' ')
  out.push(wireParams(isText ? withCharset(part.params) : part.params), ' ')
  out.push(wireNstring(part.id), ' ')
  out.push(wireNstring(part.description), ' ')
  out.push(wireString(part.encoding), ' ', String(part.bodyEnd - part.bodyStart))
  if (isMessage(part)) writeMessage(part, isExtended, out)
  if (isText || isMessage(part)) out.push(' ', String(part.lines))
  if (!isExtended) return
  out.push(' ', wireNstring(part.md5))
  writeExtension(part, out)
}

function isMessage({ type, subtype }: Part): boolean {
  return type === 'message' && subtype === 'rfc822'
}

/** RFC 9051 §9 (body-type-msg): always with an envelope and a body, also where the message was not looked into. */
function writeMessage(part: Part, isExtended: boolean, out: string[]): void {
  const [child] = part.children
  if (child?.message === undefined) {
    out.push(
      ' (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ',
      EMPTY_PART,
      isExtended ? ' NIL NIL NIL NIL)' : ')',
    )
    return
  }
  out.push(' ', writeEnvelope(child.message, messageAddresses(child.message)), ' ')
  writePart(child, isExtended, out)
}

function writeExtension(part: Part, out: string[]): void {
  out.push(' ', wireDisposition(part.disposition), ' ')
  if (part.language.length === 0) out.push('NIL')
  else out.push('(', part.language.map(wireString).join(' '), ')')
  out.push(' ', wireNstring(part.location))
}

function wireParams(params: readonly Parameter[]): string {
  if (params.length === 0) return 'NIL'
  const out: string[] = []
  for (const { name, value } of params) out.push(`${wireString(name)} ${wireString(value)}`)
  return `(${out.join(' ')})`
}

/** RFC 2045 §5.2: a text without a charset is in us-ascii. */
function withCharset(params: readonly Parameter[]): readonly Parameter[] {
  for (const { name } of params) {
    if (name.length === 7 && name.toLowerCase() === 'charset') return params
  }
  return [...params, { name: 'charset', value: 'us-ascii' }]
}

function wireDisposition(disposition: Disposition | undefined): string {
  if (disposition === undefined) return 'NIL'
  return `(${wireString(disposition.type)} ${wireParams(disposition.params)})`
}
