// Address lists. RFC 5322 §3.4, §4.4 (obsolete routes and lists); RFC 6532 §3.2 (raw 8-bit).
//
// Names, mailboxes and domains are Latin-1 text as they stand in the message: decode names with `decodeWords`.
// The list ends at the first thing that cannot be understood; what was read before it stays. Several header
// fields of one name are one list, so that nobody sees an address that another program does not.
import { limits } from '../base/limits.ts'
import { isAtext, Lexer } from './lexer.ts'

/** A mailbox; what a broken one lacks is undefined. */
export interface Mailbox {
  readonly kind: 'mailbox'
  readonly name: string | undefined
  /** The obsolete source route, such as `@a.example,@b.example`. */
  readonly route: string | undefined
  readonly mailbox: string | undefined
  readonly domain: string | undefined
  /** Something inside the angle brackets could not be understood. */
  readonly isBroken: boolean
}

/** One element of an address list; a group is its start, its mailboxes, its end. */
export type Address =
  | Mailbox
  | { readonly kind: 'groupStart'; readonly name: string }
  | { readonly kind: 'groupEnd' }

/** The addresses of one header field's value (Latin-1, folded or not), at most `limits.message.addresses`. */
export function parseAddresses(value: string): Address[] {
  const list: Address[] = []
  const lexer = new Lexer(value)
  let more = lexer.skipSpace()
  while (more && list.length < limits.message.addresses) {
    readAddress(lexer, list)
    if (lexer.peek() !== COMMA) break
    lexer.at++
    more = lexer.skipSpace()
    if (!more && lexer.isBroken) list.push(missing())
  }
  return list
}

const QUOTE = 34
const COMMA = 44
const DOT = 46
const COLON = 58
const SEMICOLON = 59
const LESS = 60
const GREATER = 62
const AT = 64
const OPEN_BRACKET = 91

function missing(name?: string): Mailbox {
  return { kind: 'mailbox', name, route: undefined, mailbox: undefined, domain: undefined, isBroken: false }
}

/** address = mailbox / group. Both may begin with a phrase, which is read once. */
function readAddress(lexer: Lexer, list: Address[]): void {
  const start = lexer.at
  const phrase = readPhrase(lexer)
  const next = lexer.peek()
  if (phrase !== undefined && next === COLON) {
    lexer.at++
    readGroup(lexer, phrase, list)
  } else if (phrase !== undefined && next === LESS) {
    list.push(readAngle(lexer, phrase))
  } else {
    lexer.at = start
    lexer.isBroken = false
    list.push(readBare(lexer))
  }
}

function readGroup(lexer: Lexer, name: string, list: Address[]): void {
  list.push({ kind: 'groupStart', name })
  let more = lexer.skipSpace()
  while (more && lexer.peek() !== SEMICOLON && list.length < limits.message.addresses) {
    readMailbox(lexer, list)
    if (lexer.peek() !== COMMA) break
    lexer.at++
    more = lexer.skipSpace()
  }
  if (lexer.peek() === SEMICOLON) {
    lexer.at++
    lexer.skipSpace()
  }
  list.push({ kind: 'groupEnd' })
}

function readMailbox(lexer: Lexer, list: Address[]): void {
  const start = lexer.at
  const phrase = readPhrase(lexer)
  if (phrase !== undefined && lexer.peek() === LESS) {
    list.push(readAngle(lexer, phrase))
    return
  }
  lexer.at = start
  lexer.isBroken = false
  list.push(readBare(lexer))
}

/** phrase / obs-phrase (RFC 5322 §4.1: dots too). Empty when something else stands here; undefined when it is broken. */
function readPhrase(lexer: Lexer): string | undefined {
  if (lexer.peek() === DOT) return undefined
  const words: string[] = []
  for (;;) {
    const word = lexer.peek() === QUOTE ? lexer.readQuoted() : lexer.readAtomOrDot()
    if (word === undefined) return undefined
    words.push(word)
    if (!lexer.skipSpace()) return undefined
    const next = lexer.peek()
    if (!isAtext(next) && next !== QUOTE && next !== DOT) return words.join(' ')
  }
}

/** "<" [ route ":" ] local-part "@" domain ">" */
function readAngle(lexer: Lexer, phrase: string): Mailbox {
  const name = phrase === '' ? undefined : phrase
  let route: string | undefined
  let mailbox: string | undefined
  let domain: string | undefined
  let isClosed = false
  lexer.at++
  read: if (lexer.skipSpace()) {
    if (lexer.peek() === AT) {
      route = readRoute(lexer)
      if (lexer.peek() === COLON) lexer.at++
      if (!lexer.skipSpace()) break read
    }
    if (lexer.peek() !== GREATER) {
      const local = readLocalPart(lexer)
      mailbox = local.text
      if (!local.isWhole) break read
      if (lexer.peek() === AT) {
        const read = readDomain(lexer)
        if (read === undefined) break read
        domain = read
        if (lexer.isAtEnd) break read
      }
    }
    if (lexer.peek() !== GREATER) break read
    isClosed = true
    lexer.at++
    lexer.skipSpace()
  }
  return { kind: 'mailbox', name, route, mailbox, domain, isBroken: !isClosed }
}

/** obs-route: "@" domain *("," "@" domain) */
function readRoute(lexer: Lexer): string {
  const domains: string[] = []
  while (lexer.peek() === AT) {
    const domain = readDomain(lexer)
    domains.push(`@${domain ?? ''}`)
    if (domain === undefined) break
    while (lexer.skipSpace() && lexer.peek() === COMMA) lexer.at++
  }
  return domains.join(',')
}

/** An address without angle brackets: its name is the comment after it, if any. */
function readBare(lexer: Lexer): Mailbox {
  lexer.forgetComment()
  const local = readLocalPart(lexer)
  let domain: string | undefined
  let hasAt = false
  if (local.isWhole && lexer.peek() === AT) {
    hasAt = true
    domain = readDomain(lexer)
  }
  const name = lexer.comment === '' ? undefined : lexer.comment
  if (name === undefined && !hasAt && local.isWhole) {
    // `user` alone is a mailbox without a domain, but `Some One` is a name without a mailbox.
    const before = lexer.at
    const rest = readWords(lexer)
    if (rest !== '') return missing(`${local.text ?? ''} ${rest}`)
    lexer.at = before
  }
  return { kind: 'mailbox', name, route: undefined, mailbox: local.text, domain, isBroken: false }
}

/** The words up to something else or the end. */
function readWords(lexer: Lexer): string {
  const words: string[] = []
  while (!lexer.isAtEnd) {
    const char = lexer.peek()
    const word = char === QUOTE ? lexer.readQuoted() : lexer.readAtomOrDot()
    if (word === undefined || word === '') break
    words.push(word)
    lexer.skipSpace()
  }
  return words.join(' ')
}

interface LocalPart {
  readonly text: string | undefined
  /** Something follows it in the field. */
  readonly isWhole: boolean
}

/** local-part = dot-atom / quoted-string, with dots anywhere: mail has `a..b@` and `a.@` in it. */
function readLocalPart(lexer: Lexer): LocalPart {
  if (lexer.peek() === QUOTE) {
    const text = lexer.readQuoted()
    return { text, isWhole: text !== undefined && lexer.skipSpace() }
  }
  const pieces: string[] = []
  for (;;) {
    while (lexer.peek() === DOT) {
      pieces.push('.')
      lexer.at++
    }
    if (lexer.isAtEnd) return { text: pieces.join(''), isWhole: false }
    if (lexer.peek() === AT && pieces.length > 0) return { text: pieces.join(''), isWhole: true }
    const atom = lexer.readAtom()
    if (atom === undefined) return { text: pieces.length === 0 ? undefined : pieces.join(''), isWhole: false }
    pieces.push(atom)
    if (!lexer.skipSpace()) return { text: pieces.join(''), isWhole: false }
    if (lexer.peek() !== DOT) return { text: pieces.join(''), isWhole: true }
  }
}

/** "@" domain: dot-atom, with CFWS around the dots (RFC 5322 §4.4), or a domain-literal. Undefined when there is none. */
function readDomain(lexer: Lexer): string | undefined {
  lexer.at++
  if (!lexer.skipSpace()) return undefined
  if (lexer.peek() === OPEN_BRACKET) return readDomainLiteral(lexer)
  const pieces: string[] = []
  for (;;) {
    const atom = lexer.readAtom()
    if (atom === undefined) break
    pieces.push(atom)
    if (!lexer.skipSpace() || lexer.peek() !== DOT) break
    lexer.at++
    pieces.push('.')
    if (!lexer.skipSpace()) break
  }
  return pieces.length === 0 ? undefined : pieces.join('')
}

function readDomainLiteral(lexer: Lexer): string | undefined {
  const start = lexer.at
  const close = lexer.text.indexOf(']', start)
  if (close === -1 || close >= lexer.end) {
    lexer.at = lexer.end
    return undefined
  }
  lexer.at = close + 1
  lexer.skipSpace()
  return lexer.text.slice(start, close + 1)
}
