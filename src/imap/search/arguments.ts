// What a SEARCH command says: what to return, in which charset, which messages. RFC 9051 §6.4.4, §9 (search); RFC 4731; RFC 5182.
import type { Awaitable } from '../../base/awaitable.ts'
import { isCharsetKnown } from '../../message/charset.ts'
import type { ParseContext } from '../command.ts'
import { bad, no } from '../error.ts'
import type { ImapError } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { parsePartialRange, type PartialRange } from '../partial-range.ts'
import { resolveFilters } from './filters.ts'
import { parseCriteria, someLeaf } from './keys.ts'
import type { Criterion, WrittenCriterion } from './search-key.ts'
import { decodeString, isLikeUtf8 } from './strings.ts'

/** What to return of the result. */
export interface ReturnOptions {
  readonly min: boolean
  readonly max: boolean
  readonly all: boolean
  readonly count: boolean
  /** Remember the result as `$`. */
  readonly save: boolean
  /** RFC 9394. */
  readonly partial: PartialRange | undefined
  /** Keep the result up to date (RFC 5267 §4.3). */
  readonly update: boolean
  /** How relevant each message is (RFC 6203 §4). */
  readonly relevancy: boolean
  /** Something was asked for besides SAVE, so that there is an answer (RFC 5182 §2.1). */
  readonly answers: boolean
}

/** Which messages, as the client wrote it: what SEARCH, SORT and THREAD have in common. */
export interface WrittenProgram {
  readonly criterion: WrittenCriterion
  /** As the client said it. */
  readonly charset: string | undefined
  /** The charset is not known here: NO, once it is clear that the command is well-formed. */
  readonly refusal: ImapError | undefined
}

/** Which messages, with stored filters looked up. */
export interface SearchProgram extends WrittenProgram {
  readonly criterion: Criterion
  readonly usesNumbers: boolean
  readonly usesModSeq: boolean
  /** It has a FUZZY, so that there is relevancy (RFC 6203 §4). */
  readonly isFuzzy: boolean
}

interface Answering {
  readonly tag: string
  /** Undefined where the client did not say RETURN. */
  readonly returns: ReturnOptions | undefined
}

export type WrittenSearch = WrittenProgram & Answering
export type SearchArgs = SearchProgram & Answering

/** Reads all that follows SEARCH. Throws BAD. */
export function parseSearch(parser: Parser, context: ParseContext): WrittenSearch {
  parser.sp()
  return parseSearchProgram(parser, context)
}

/** Reads `[RETURN (…) ][CHARSET … ]key …` to the end of the command. Throws BAD. */
export function parseSearchProgram(parser: Parser, context: ParseContext): WrittenSearch {
  const returns = parseReturn(parser)
  let charset: string | undefined
  if (parser.takeKeyword('CHARSET')) {
    // RFC 6855 §3.
    if (context.session.has('UTF8=ACCEPT')) throw bad('with UTF8=ACCEPT there is no CHARSET')
    parser.sp()
    charset = parser.astring()
    parser.sp()
  }
  return { tag: context.tag, returns, ...parseProgram(parser, context, charset) }
}

/** Reads the criteria of SORT or THREAD, before which there is always a charset (RFC 5256 §5, search-criteria). Throws BAD. */
export function parseCharsetProgram(parser: Parser, context: ParseContext): WrittenProgram {
  const charset = parser.astring()
  parser.sp()
  return parseProgram(parser, context, charset)
}

function parseProgram(parser: Parser, context: ParseContext, charset: string | undefined): WrittenProgram {
  const isKnown = charset === undefined || isCharsetKnown(charset)
  const decode = (bytes: Buffer) => decodeString(bytes, charset, isKnown)
  const criterion = parseCriteria(parser, { ...context, decode })
  // RFC 5466 §3.1.
  if (!isLikeUtf8(charset) && someLeaf(criterion, ({ kind }) => kind === 'filter'))
    throw bad('stored filters are UTF-8', 'BADCHARSET (UTF-8 US-ASCII)')
  return {
    criterion,
    charset,
    // RFC 9051 §6.4.4: NO with BADCHARSET, which may list some that are known.
    refusal: isKnown ? undefined : no('BADCHARSET (UTF-8 US-ASCII)', 'That charset is not known here'),
  }
}

/** Looks up the filters that the criterion names (RFC 5466 §3.1). Throws NO. */
export function resolveProgram<Written extends WrittenProgram>(
  written: Written,
  context: ParseContext,
): Awaitable<Written & SearchProgram> {
  const resolved = (criterion: Criterion): Written & SearchProgram => ({
    ...written,
    criterion,
    usesNumbers: someLeaf(criterion, ({ usesNumbers }) => usesNumbers === true),
    usesModSeq: someLeaf(criterion, ({ usesModSeq }) => usesModSeq === true),
    isFuzzy: someLeaf(criterion, ({ isFuzzy }) => isFuzzy === true),
  })
  const criterion = resolveFilters(written.criterion, context)
  return criterion instanceof Promise ? criterion.then(resolved) : resolved(criterion)
}

/** Those without an argument. CONTEXT says that more such searches will come (RFC 5267 §4.2), for which nothing has to be prepared here. */
const returnOptions: ReadonlySet<string> = new Set([
  'MIN',
  'MAX',
  'ALL',
  'COUNT',
  'SAVE',
  'UPDATE',
  'CONTEXT',
  'RELEVANCY',
])

/** Reads `RETURN (…) ` if it is there. Throws BAD. */
export function parseReturn(parser: Parser): ReturnOptions | undefined {
  if (!parser.takeKeyword('RETURN')) return undefined
  parser.sp()
  const named = new Set<string>()
  let partial: PartialRange | undefined
  parser.list(() => {
    const option = parser.keyword()
    if (option === 'PARTIAL') {
      // RFC 9394 §3.1.
      if (partial !== undefined) throw bad('PARTIAL stands twice')
      parser.sp()
      partial = parsePartialRange(parser)
    } else if (!returnOptions.has(option)) {
      throw bad('there is no such RETURN option')
    }
    named.add(option)
  })
  // RFC 9394 §3.1.
  if (partial !== undefined && named.has('ALL')) throw bad('ALL and PARTIAL exclude each other')
  parser.sp()
  return {
    min: named.has('MIN'),
    max: named.has('MAX'),
    // RFC 4731 §3.1: an empty list is ALL.
    all: named.has('ALL') || named.size === 0,
    count: named.has('COUNT'),
    save: named.has('SAVE'),
    partial,
    update: named.has('UPDATE'),
    relevancy: named.has('RELEVANCY'),
    answers: named.size !== 1 || !named.has('SAVE'),
  }
}
