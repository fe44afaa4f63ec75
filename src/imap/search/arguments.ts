// What a SEARCH command says: what to return, in which charset, which messages. RFC 9051 §6.4.4, §9 (search); RFC 4731; RFC 5182.
import { decodeCharset, isCharsetKnown } from '../../message/charset.ts'
import type { ParseContext } from '../command.ts'
import { bad, no } from '../error.ts'
import type { ImapError } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { parsePartialRange, type PartialRange } from '../partial-range.ts'
import { parseCriteria, someKey } from './keys.ts'
import type { Criterion } from './search-key.ts'

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
  /** Something was asked for besides SAVE, so that there is an answer (RFC 5182 §2.1). */
  readonly answers: boolean
}

/** Which messages: what SEARCH, SORT and THREAD have in common. */
export interface SearchProgram {
  readonly criterion: Criterion
  readonly usesNumbers: boolean
  readonly usesModSeq: boolean
  /** The charset is not known here: NO, once it is clear that the command is well-formed. */
  readonly refusal: ImapError | undefined
}

export interface SearchArgs extends SearchProgram {
  readonly tag: string
  /** Undefined where the client did not say RETURN. */
  readonly returns: ReturnOptions | undefined
}

/** Reads all that follows SEARCH. Throws BAD. */
export function parseSearch(parser: Parser, context: ParseContext): SearchArgs {
  parser.sp()
  return parseSearchProgram(parser, context)
}

/** Reads `[RETURN (…) ][CHARSET … ]key …` to the end of the command. Throws BAD. */
export function parseSearchProgram(parser: Parser, context: ParseContext): SearchArgs {
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
export function parseCharsetProgram(parser: Parser, context: ParseContext): SearchProgram {
  const charset = parser.astring()
  parser.sp()
  return parseProgram(parser, context, charset)
}

function parseProgram(parser: Parser, context: ParseContext, charset: string | undefined): SearchProgram {
  const isKnown = charset === undefined || isCharsetKnown(charset)
  const decode = (bytes: Buffer) => decodeString(bytes, charset, isKnown)
  const criterion = parseCriteria(parser, { ...context, decode })
  return {
    criterion,
    usesNumbers: someKey(criterion, ({ usesNumbers }) => usesNumbers === true),
    usesModSeq: someKey(criterion, ({ usesModSeq }) => usesModSeq === true),
    // RFC 9051 §6.4.4: NO with BADCHARSET, which may list some that are known.
    refusal: isKnown ? undefined : no('BADCHARSET (UTF-8 US-ASCII)', 'That charset is not known here'),
  }
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
    answers: named.size !== 1 || !named.has('SAVE'),
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
/** Where clients say less than they mean; text that is no UTF-8 is refused. */
const likeUtf8: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii'])

/** RFC 9051 §6.4.4: without CHARSET it is UTF-8. */
function decodeString(bytes: Buffer, charset: string | undefined, isKnown: boolean): string {
  if (!isKnown) return ''
  if (charset !== undefined && !likeUtf8.has(charset.toLowerCase())) return decodeCharset(bytes, charset)
  try {
    return utf8.decode(bytes)
  } catch {
    throw bad('a string is not valid UTF-8')
  }
}
