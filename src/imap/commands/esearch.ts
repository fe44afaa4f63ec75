// ESEARCH: a search of several mailboxes. RFC 7377.
import { resolvedCommand } from '../command.ts'
import { parseSearchProgram, resolveProgram } from '../search/arguments.ts'
import { runMultiSearch } from '../search/run-multi-search.ts'
import { parseSources } from '../search/sources.ts'

export const esearch = resolvedCommand({
  name: 'ESEARCH',
  state: 'authenticated',
  // Its answers have UIDs (RFC 7377 §2.1); keys may speak of numbers, as with UID SEARCH.
  sequence: ({ usesNumbers }) => usesNumbers,
  reportsProgress: true,
  parse(parser, context) {
    parser.sp()
    const sources = parseSources(parser, context)
    return { sources, ...parseSearchProgram(parser, context) }
  },
  resolve: resolveProgram,
  run: runMultiSearch,
})
