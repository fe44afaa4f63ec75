// The criteria of SORT, and their reader. RFC 5256 §3, §5 (sort-criteria); DISPLAYFROM and DISPLAYTO of RFC 5957; RELEVANCY of RFC 6203 §6.
import { limits } from '../../base/limits.ts'
import { parseAnnotationEntry, parseScope } from '../annotation/annotation-list.ts'
import type { AnnotationQuery } from '../annotation/annotation-texts.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import type { TextColumn } from '../../store/read/email-columns.ts'

/** Where the values of a criterion come from: the snapshot, the sent date, or a column of text. */
export type SortSource =
  | { readonly kind: 'arrival' }
  | { readonly kind: 'size' }
  | { readonly kind: 'sent' }
  /** RFC 6203 §6. */
  | { readonly kind: 'relevancy' }
  | { readonly kind: 'text'; readonly column: TextColumn }
  | AnnotationSource

/** RFC 5257 §4.9. */
export interface AnnotationSource extends AnnotationQuery {
  readonly kind: 'annotation'
}

export interface SortCriterion {
  readonly source: SortSource
  readonly isReverse: boolean
}

const sources: ReadonlyMap<string, SortSource> = new Map<string, SortSource>([
  ['ARRIVAL', { kind: 'arrival' }],
  ['CC', { kind: 'text', column: 'sort_cc' }],
  ['DATE', { kind: 'sent' }],
  ['DISPLAYFROM', { kind: 'text', column: 'display_from' }],
  ['DISPLAYTO', { kind: 'text', column: 'display_to' }],
  ['FROM', { kind: 'text', column: 'sort_from' }],
  ['RELEVANCY', { kind: 'relevancy' }],
  ['SIZE', { kind: 'size' }],
  ['SUBJECT', { kind: 'text', column: 'base_subject' }],
  ['TO', { kind: 'text', column: 'sort_to' }],
])

/** ` /altsubject value.shared`. */
function parseAnnotationSource(parser: Parser): AnnotationSource {
  parser.sp()
  const entry = parseAnnotationEntry(parser)
  parser.sp()
  return { kind: 'annotation', entry, isShared: parseScope(parser) }
}

/** The criteria with texts in the command's charset (RFC 5257 §4.9). */
export function inCharset(
  criteria: readonly SortCriterion[],
  charset: string | undefined,
): readonly SortCriterion[] {
  return criteria.map(criterion => {
    const { source } = criterion
    return source.kind === 'annotation' ? { ...criterion, source: { ...source, charset } } : criterion
  })
}

/** Reads `(REVERSE DATE SUBJECT)`. Throws BAD. */
export function parseSortCriteria(parser: Parser): readonly SortCriterion[] {
  const criteria = parser.list(() => {
    const isReverse = parser.takeKeyword('REVERSE')
    if (isReverse) parser.sp()
    const name = parser.keyword()
    const source = name === 'ANNOTATION' ? parseAnnotationSource(parser) : sources.get(name)
    if (!source) throw bad('there is no such sort criterion')
    return { source, isReverse }
  })
  if (criteria.length === 0) throw bad('SORT takes at least one criterion')
  if (criteria.length > limits.imap.sortCriteria) throw bad('that are too many sort criteria', 'TOOBIG')
  return criteria
}
