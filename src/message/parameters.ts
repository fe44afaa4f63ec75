// Content-Type, Content-Disposition and their parameters. RFC 2045 §5.1; RFC 2183; RFC 2231; RFC 2047 §5 (not allowed there, yet common).
//
// Parameters are kept as a list in their order, as BODYSTRUCTURE shows them; values are found by name through
// functions, never as keys of an object.
import { limits } from '../base/limits.ts'
import { decodeCharset } from './charset.ts'
import { decodeWords } from './encoded-word.ts'
import { Lexer } from './lexer.ts'

/**
 * One parameter as it stands in the message, Latin-1. Continuations (RFC 2231 §3) are put together, so that
 * `name*0*` and `name*1` are one `name*`.
 */
export interface Parameter {
  readonly name: string
  readonly value: string
}

/** `text/plain; charset=utf-8`; type and subtype in lower case. */
export interface ContentType {
  readonly type: string
  readonly subtype: string
  readonly params: readonly Parameter[]
}

/** `attachment; filename=a`; the type in lower case. */
export interface Disposition {
  readonly type: string
  readonly params: readonly Parameter[]
}

const QUOTE = 34
const SLASH = 47
const SEMICOLON = 59
const EQUALS = 61
const ASTERISK = 42

/** `type "/" subtype *(";" parameter)` (RFC 2045 §5.1). Undefined when type and subtype are not there, alone and before a semicolon. */
export function parseContentType(value: string): ContentType | undefined {
  const lexer = new Lexer(value)
  lexer.skipSpace()
  const type = lexer.readToken()
  lexer.skipSpace()
  if (type === undefined || lexer.peek() !== SLASH) return undefined
  lexer.at++
  lexer.skipSpace()
  const subtype = lexer.readToken()
  if (subtype === undefined || (lexer.skipSpace() && lexer.peek() !== SEMICOLON)) return undefined
  return { type: type.toLowerCase(), subtype: subtype.toLowerCase(), params: readParameters(lexer) }
}

/** `disposition-type *(";" parameter)` (RFC 2183 §2). */
export function parseDisposition(value: string): Disposition | undefined {
  const lexer = new Lexer(value)
  lexer.skipSpace()
  const type = lexer.readToken()
  return type === undefined ? undefined : { type: type.toLowerCase(), params: readParameters(lexer) }
}

/** Reads the parameters to the end of the field, skipping to the next semicolon over what is none. */
function readParameters(lexer: Lexer): readonly Parameter[] {
  const params: Parameter[] = []
  let hasContinuation = false
  lexer.skipSpace()
  while (params.length < limits.message.parameters) {
    if (lexer.peek() !== SEMICOLON) {
      const next = lexer.isAtEnd ? -1 : lexer.text.indexOf(';', lexer.at)
      if (next === -1 || next >= lexer.end) break
      lexer.at = next
    }
    lexer.at++
    if (!lexer.skipSpace()) break
    const name = lexer.readToken()
    lexer.skipSpace()
    if (name === undefined || lexer.peek() !== EQUALS) continue
    lexer.at++
    lexer.skipSpace()
    params.push({ name, value: readValue(lexer) })
    hasContinuation ||= name.includes('*')
    lexer.skipSpace()
  }
  return hasContinuation ? joinContinuations(params) : params
}

interface Section {
  readonly index: number
  readonly isExtended: boolean
  readonly value: string
}

/** RFC 2231 §3: sections in any order, `name*0` up. A name whose sections have a gap stays as it is. */
function joinContinuations(params: readonly Parameter[]): readonly Parameter[] {
  const plain: Parameter[] = []
  const joined: Parameter[] = []
  const names = new Map<string, Section[]>()
  for (const param of params) {
    const star = param.name.indexOf('*')
    const index = star === -1 ? undefined : sectionIndex(param.name, star + 1)
    if (index === undefined) {
      plain.push(param)
      continue
    }
    const name = param.name.slice(0, star).toLowerCase()
    const sections = names.get(name)
    const isExtended = param.name.charCodeAt(param.name.length - 1) === ASTERISK
    const section = { index, isExtended, value: param.value }
    if (sections === undefined) names.set(name, [section])
    else sections.push(section)
  }
  for (const [name, sections] of names) {
    sections.sort((a, b) => a.index - b.index)
    const isExtended = sections.some(section => section.isExtended)
    if (sections.every((section, index) => section.index === index)) {
      const value = sections.map(section => (isExtended ? asExtended(section) : section.value)).join('')
      joined.push({ name: isExtended ? `${name}*` : name, value })
    } else {
      for (const { index, isExtended: ends, value } of sections) {
        joined.push({ name: `${name}*${index}${ends ? '*' : ''}`, value })
      }
    }
  }
  joined.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return [...plain, ...joined]
}

/** The section number in `*`, `*1` or `*1*`, read after the first asterisk; undefined when it is not of this form. */
function sectionIndex(name: string, start: number): number | undefined {
  let at = start
  let index = 0
  for (; at < name.length && at < start + 6; at++) {
    const digit = name.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) break
    index = index * 10 + digit
  }
  if (at === name.length) return index
  return at === name.length - 1 && at > start && name.charCodeAt(at) === ASTERISK ? index : undefined
}

/** RFC 2231 §4.1: a plain section among encoded ones is encoded, so that the whole is. */
function asExtended({ isExtended, value }: Section): string {
  if (isExtended) return value
  return value.replace(/[^A-Za-z0-9!#$&+\-.^_`{|}~]/g, char => `%${hex2(char.charCodeAt(0))}`)
}

function hex2(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0')
}

function readValue(lexer: Lexer): string {
  const char = lexer.peek()
  if (char === QUOTE) {
    const start = lexer.at + 1
    return lexer.readQuoted() ?? lexer.text.slice(start, lexer.end)
  }
  if (char !== EQUALS) return lexer.readToken() ?? ''
  // name==?utf-8?b?...?= is an encoded word without quotes.
  const start = lexer.at
  while (!lexer.isAtEnd && !' \t\r\n;'.includes(lexer.text.charAt(lexer.at))) lexer.at++
  return lexer.text.slice(start, lexer.at)
}

/** The value of the first parameter with this name exactly (any case), as it stands. */
export function parameterOf(params: readonly Parameter[], name: string): string | undefined {
  return params.find(param => param.name.length === name.length && param.name.toLowerCase() === name)?.value
}

/**
 * The decoded value of a parameter: RFC 2231's charset, else encoded words, else raw UTF-8.
 * `name` is in lower case.
 */
export function findParameter(params: readonly Parameter[], name: string): string | undefined {
  const extended = parameterOf(params, `${name}*`)
  if (extended !== undefined) return decodeExtended(extended)
  const plain = parameterOf(params, name)
  return plain === undefined ? undefined : decodeWords(plain)
}

/** `charset'language'percent-encoded` (RFC 2231 §4). */
function decodeExtended(value: string): string {
  const quote = value.indexOf("'")
  const second = quote === -1 ? -1 : value.indexOf("'", quote + 1)
  const charset = second === -1 ? '' : value.slice(0, quote)
  const bytes = percentDecode(value.slice(second + 1))
  return decodeCharset(Buffer.from(bytes, 'latin1'), charset === '' ? 'utf-8' : charset)
}

function percentDecode(value: string): string {
  if (!value.includes('%')) return value
  return value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
