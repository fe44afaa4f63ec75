// Message identifiers, in the one form by which threads compare them. RFC 5322 §3.6.4; RFC 5256 §3 (REFERENCES, step 1).
import { limits } from '../base/limits.ts'
import { Lexer } from './lexer.ts'

/**
 * The identifiers in a Message-ID, In-Reply-To or References value (Latin-1), in order, without angle brackets.
 * Normalised: comments, white space and needless quotes are gone, so that equal ones are equal strings.
 * What is no identifier is passed over.
 */
export function parseMessageIds(value: string): string[] {
  const ids: string[] = []
  const end = Math.min(value.length, limits.message.fieldBytes)
  let at = value.indexOf('<')
  while (at !== -1 && at < end && ids.length < limits.message.messageIds) {
    const close = value.indexOf('>', at)
    if (close === -1 || close >= end) break
    const id = normalizeId(value.slice(at + 1, close))
    if (id !== undefined) ids.push(id)
    at = value.indexOf('<', close)
  }
  return ids
}

/** What is between the brackets; undefined when it has no two sides of an "@". */
function normalizeId(text: string): string | undefined {
  const isPlain = !text.includes('"') && !text.includes('(') && !text.includes('\\')
  // A second "<" begins anew: `<broken <a@b>`.
  const inner = text.slice(text.lastIndexOf('<') + 1)
  const id = isPlain ? withoutSpace(inner) : unquoted(inner)
  const sign = id.lastIndexOf('@')
  return sign > 0 && sign < id.length - 1 ? id : undefined
}

function withoutSpace(text: string): string {
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char <= 32) return text.replaceAll(/[\0- ]+/g, '')
  }
  return text
}

function unquoted(text: string): string {
  const lexer = new Lexer(text)
  const pieces: string[] = []
  while (lexer.skipSpace()) {
    if (lexer.peek() === 34) {
      pieces.push(lexer.readQuoted() ?? '')
      continue
    }
    const atom = lexer.readAtomOrDot()
    if (atom === '') pieces.push(text.charAt(lexer.at++))
    else pieces.push(atom)
  }
  return pieces.join('')
}

/**
 * The ancestors that a message names, oldest first: References, or else the first identifier of In-Reply-To
 * (RFC 5256 §3, REFERENCES step 1).
 */
export function threadReferences(references: readonly string[], inReplyTo: string | undefined): string[] {
  const ids: string[] = []
  for (const value of references) {
    for (const id of parseMessageIds(value)) ids.push(id)
    if (ids.length >= limits.message.messageIds) break
  }
  if (ids.length > 0) return ids.slice(0, limits.message.messageIds)
  return inReplyTo === undefined ? [] : parseMessageIds(inReplyTo).slice(0, 1)
}
