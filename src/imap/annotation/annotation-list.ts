// Names and values of annotations of messages. RFC 5257 §3.2, §5.
import { limits } from '../../base/limits.ts'
import type { MessageAnnotation } from '../../store/message-annotations.ts'
import { bad, type ImapError, no } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { parseValue } from '../metadata.ts'

/** Reads the name of an entry. Throws BAD (§3.2). */
export function parseAnnotationEntry(parser: Parser): string {
  const entry = parser.astring()
  if (/[*%]/.test(entry)) throw bad('the name of an annotation has no wildcards here')
  checkEntry(entry)
  return entry
}

/** Reads a pattern for names of entries. Throws BAD. */
export function parseEntryPattern(parser: Parser): string {
  const pattern = parser.listMailbox()
  if (!/[*%]/.test(pattern)) checkEntry(pattern)
  if (pattern.length > limits.annotation.entryBytes) throw bad('the name of an annotation is too long')
  return pattern
}

function checkEntry(entry: string): void {
  const isPlain = /^(?:\/[^/]+)+$/.test(entry) && /^[\x20-\x7e]*$/.test(entry)
  if (!isPlain || entry.length > limits.annotation.entryBytes)
    throw bad(
      'annotations are called /comment, /altsubject, /vendor/NAME …, or so behind the number of a part',
    )
  // §3.2.1: names that begin with a digit are about a part.
  if (/^\/\d/.test(entry) && !/^\/[1-9]\d*(?:\.[1-9]\d*)*\/./.test(entry)) throw bad('that is no part number')
}

/** The part that an entry is about, as BODYSTRUCTURE counts them. */
export function partOfEntry(entry: string): readonly number[] | undefined {
  const path = /^\/(\d+(?:\.\d+)*)\//.exec(entry)?.[1]
  return path?.split('.').map(Number)
}

/** Reads `(/comment (value.priv "x" value.shared NIL) /altsubject (…))`. Throws BAD, and NO for a value that is too large. */
export function parseAnnotations(parser: Parser): readonly MessageAnnotation[] {
  const found = new Map<string, MessageAnnotation>()
  const entries = parser.list(() => {
    const entry = parseAnnotationEntry(parser)
    parser.sp()
    const values = parser.list(() => {
      const isShared = parseScope(parser)
      parser.sp()
      const value = parseValue(parser)
      checkValue(entry, value)
      found.set(`${isShared} ${entry}`, { entry, isShared, value: value && Buffer.from(value) })
    })
    if (values.length === 0) throw bad('an annotation has no value')
  })
  if (entries.length === 0) throw bad('name at least one annotation')
  return [...found.values()]
}

/** `value.priv` or `value.shared`: nothing else can be set, searched by itself or sorted by (§3.2.2, §4.9). True for the latter. */
export function parseScope(parser: Parser): boolean {
  const attribute = parser.astring().toLowerCase()
  if (attribute === 'value.shared') return true
  if (attribute !== 'value.priv') throw bad('say value.priv or value.shared')
  return false
}

function checkValue(entry: string, value: Buffer | null): void {
  // §3.2.1: reserved for future use.
  if (/^\/flags(?:\/|$)/.test(entry)) throw no('CANNOT', 'Annotations below /flags have no meaning yet')
  if (/^\/[\d.]+\/flags\//.test(entry) && value && !['0', '1'].includes(value.toString('latin1')))
    throw bad('a flag of a part is "1", "0" or NIL')
}

/** Throws NO where they are too many for one message, or a value is larger than ANNOTATIONS says (§4.5). */
export function checkSizes(annotations: readonly MessageAnnotation[]): void {
  if (annotations.filter(({ value }) => value !== null).length > limits.annotation.perMessage)
    throw tooManyAnnotations()
  if (annotations.some(({ value }) => value && value.length > limits.annotation.valueBytes))
    throw no('ANNOTATE TOOBIG', 'That value is too large')
}

export function tooManyAnnotations(): ImapError {
  return no('ANNOTATE TOOMANY', 'There are too many annotations here')
}
