// Names of mailboxes: UTF-8 in NFC, '/' between levels, INBOX in any case. RFC 9051 §5.1; RFC 5198.
//
// A name is only ever a value in a row. It never becomes the name of a file, so `..` and its kin lead nowhere; they are
// refused all the same, because exports and other programs do make files of them.
import { limits } from '../base/limits.ts'
import { StoreError } from './error.ts'

export const hierarchySeparator = '/'

/** The name as the store keeps it. Throws `StoreError` `invalid-name`. */
export function parseMailboxName(name: string): string {
  // Before anything that takes time in proportion to the length.
  if (name.length > limits.mailbox.nameBytes) throw invalid('the name is too long')
  if (name === '') throw invalid('the name is empty')
  if (!name.isWellFormed()) throw invalid('the name is not Unicode text')
  const normalised = canonicalMailboxName(name)
  if (Buffer.byteLength(normalised) > limits.mailbox.nameBytes) throw invalid('the name is too long')
  // RFC 9051 §5.1: no control characters; U+2028 and U+2029 are line ends too (RFC 5198 §2). Bidirectional overrides would show another name.
  if (/[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/.test(normalised)) {
    throw invalid('the name has control characters')
  }
  const levels = normalised.split(hierarchySeparator)
  if (levels.length > limits.mailbox.depth) throw invalid('the name has too many levels')
  for (const level of levels) {
    if (level === '') throw invalid('the name has an empty level')
    if (level === '.' || level === '..') throw invalid('the name has a level of dots only')
  }
  return normalised
}

/** The name under which a mailbox is kept: NFC, INBOX (RFC 9051 §5.1: whatever its case; also as the first level) in capitals. Says nothing about whether it may be made. */
export function canonicalMailboxName(name: string): string {
  const normal = name.normalize('NFC')
  return /^inbox(?=\/|$)/i.test(normal) ? `INBOX${normal.slice(5)}` : normal
}

/** Undefined when it is not a valid name: then no mailbox has it either. */
export function findMailboxName(name: string): string | undefined {
  try {
    return parseMailboxName(name)
  } catch (error) {
    if (error instanceof StoreError) return undefined
    throw error
  }
}

/** The names of the levels above, outermost first: of `a/b/c`, `a` and `a/b`. */
export function parentNames(name: string): readonly string[] {
  const parents: string[] = []
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) parents.push(name.slice(0, at))
  return parents
}

/** The bounds of the names below `name`: `low <= child < high` in code point order, so an index finds them. */
export function childRange(name: string): { readonly low: string; readonly high: string } {
  // '0' follows '/'.
  return { low: `${name}/`, high: `${name}0` }
}

function invalid(message: string): StoreError {
  return new StoreError('invalid-name', message)
}
