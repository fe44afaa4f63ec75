// Header fields written: encoded, quoted and folded. RFC 5322 §2.1.1, §2.2.3, §3.4; RFC 2047; RFC 2231.
//
// A value with CR, LF or NUL is refused: nobody smuggles a field in through a subject.
import { encodeAll, encodeWords } from './encoded-word.ts'
import { isAtext, isTokenChar } from './lexer.ts'

/** A mailbox to write. `address` is `local@domain`, possibly in UTF-8 (RFC 6532). */
export interface ComposeMailbox {
  readonly name?: string
  readonly address: string
}

/** RFC 5322 §2.1.1: a line should not be longer. */
const LINE_MAX = 78

/** A field whose value is free text, such as Subject. */
export function textField(name: string, value: string): string {
  return foldField(name, encodeWords(checked(value)))
}

/** A field whose value is already in its own syntax: message identifiers, a date, a trace. */
export function rawField(name: string, value: string): string {
  return foldField(name, checked(value))
}

/** A field that lists addresses. */
export function addressField(name: string, mailboxes: readonly ComposeMailbox[]): string {
  return foldField(name, mailboxes.map(formatMailbox).join(', '))
}

/** A field with parameters, such as Content-Type; values in RFC 2231's form where they must be. */
export function parameterField(
  name: string,
  value: string,
  params: readonly (readonly [name: string, value: string])[],
): string {
  const pieces = [checked(value)]
  for (const [key, text] of params) pieces.push(...formatParameter(key, checked(text)))
  return foldField(name, pieces.join('; '))
}

function checked(value: string): string {
  if (/[\r\n\0]/.test(value)) throw new TypeError('CR, LF or NUL in the value of a header field')
  return value
}

/** `Name: value`, with line ends put before spaces where the line would be too long. */
function foldField(name: string, value: string): string {
  if (name === '' || /[^!-9;-~]/.test(name))
    throw new TypeError('a header field name of other than RFC 5322 §3.6.8 allows')
  const lines: string[] = []
  let line = `${name}:`
  for (const word of value.split(' ')) {
    // A line must not be white space alone, so no folding before an empty word.
    if (
      word !== '' &&
      line.length + 1 + word.length > LINE_MAX &&
      line.trim() !== '' &&
      line !== `${name}:`
    ) {
      lines.push(line)
      line = ''
    }
    line += ` ${word}`
  }
  lines.push(line)
  return `${lines.join('\r\n')}\r\n`
}

/** `name <local@domain>`, or the address alone. */
export function formatMailbox({ name, address }: ComposeMailbox): string {
  const at = checked(address).lastIndexOf('@')
  const local = at === -1 ? address : address.slice(0, at)
  const domain = at === -1 ? '' : address.slice(at)
  if (/[\s<>(),;:\\"]/.test(domain)) throw new TypeError('a domain that cannot be written in an address')
  const spec = `${isDotAtom(local) ? local : quoted(local)}${domain}`
  if (name === undefined || name === '') return spec
  return `${formatPhrase(checked(name))} <${spec}>`
}

function isDotAtom(text: string): boolean {
  if (text === '' || text.startsWith('.') || text.endsWith('.') || text.includes('..')) return false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char !== 46 && !isAtext(char)) return false
  }
  return true
}

function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"]/g, '\\$&')}"`
}

/** A display name: words as they are, a quoted string, or encoded words (RFC 2047 §5 (3)). */
function formatPhrase(name: string): string {
  const encoded = encodeWords(name)
  if (encoded === name)
    return name.split(' ').every(word => word !== '' && isAtoms(word)) ? name : quoted(name)
  // What stands around encoded words must be atoms, or it would need quotes of its own.
  const isPhrase = encoded.split(' ').every(word => word.startsWith('=?') || isAtoms(word))
  return isPhrase ? encoded : encodeAll(name)
}

function isAtoms(word: string): boolean {
  for (let at = 0; at < word.length; at++) {
    const char = word.charCodeAt(at)
    if (char > 126 || !isAtext(char)) return false
  }
  return true
}

/** Characters of an encoded value in one RFC 2231 section. */
const SECTION_MAX = 60

function formatParameter(name: string, value: string): string[] {
  if (/^[\x20-\x7e]*$/.test(value) && value.length <= SECTION_MAX) {
    const isToken = value !== '' && isTokens(value)
    return [`${name}=${isToken ? value : quoted(value)}`]
  }
  const encoded = Array.from(value, percentEncode)
  const sections: string[] = []
  let section = "utf-8''"
  for (const piece of encoded) {
    if (section.length + piece.length > SECTION_MAX) {
      sections.push(section)
      section = ''
    }
    section += piece
  }
  sections.push(section)
  if (sections.length === 1) return [`${name}*=${sections[0]}`]
  return sections.map((text, index) => `${name}*${index}*=${text}`)
}

function isTokens(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (!isTokenChar(text.charCodeAt(at))) return false
  }
  return true
}

function percentEncode(char: string): string {
  if (/^[A-Za-z0-9!#$&+\-.^_`{|}~]$/.test(char)) return char
  return [...Buffer.from(char, 'utf8')]
    .map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('')
}
