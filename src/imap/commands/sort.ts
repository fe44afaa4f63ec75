// SORT and UID SORT. RFC 5256 §3; SORT=DISPLAY of RFC 5957; ESORT of RFC 5267 §3; MODSEQ of RFC 7162 §3.1.6.
import { type ParseContext, resolvedCommand } from '../command.ts'
import type { Parser } from '../input/parser.ts'
import { parseCharsetProgram, parseReturn, resolveProgram, type WrittenSearch } from '../search/arguments.ts'
import { runSearch } from '../search/run-search.ts'
import { inCharset, parseSortCriteria, type SortCriterion } from '../sort/sort-criterion.ts'

export const sort = resolvedCommand({
  name: 'SORT',
  state: 'selected',
  uid: 'also',
  // RFC 5256 §3: EXPUNGE waits for SORT and not for UID SORT; as with UID SEARCH, keys about numbers hold it back (RFC 7162 §3.2.10.2).
  sequence: (args, isUid) => !isUid || args.usesNumbers,
  reportsProgress: true,
  parse: parseSort,
  resolve: resolveProgram,
  run: runSearch,
})

function parseSort(
  parser: Parser,
  context: ParseContext,
): WrittenSearch & { readonly sort: readonly SortCriterion[] } {
  parser.sp()
  const returns = parseReturn(parser)
  const criteria = parseSortCriteria(parser)
  parser.sp()
  const program = parseCharsetProgram(parser, context)
  return { tag: context.tag, returns, sort: inCharset(criteria, program.charset), ...program }
}
