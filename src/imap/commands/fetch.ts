// FETCH and UID FETCH. RFC 9051 §6.4.5, §6.4.9; RFC 3501 §6.4.5; BINARY of RFC 3516; CHANGEDSINCE and VANISHED of RFC 7162;
// EMAILID and THREADID of RFC 8474; SAVEDATE of RFC 8514. The items are in `fetch/items.ts`.
import { command, type ParseContext } from '../command.ts'
import { parseFetchItems } from '../fetch/items.ts'
import { parseFetchModifiers } from '../fetch/modifiers.ts'
import { type FetchArgs, runFetch } from '../fetch/run-fetch.ts'
import { withMessageLimit } from '../message-limit.ts'
import type { Parser } from '../input/parser.ts'

export const fetch = command({
  name: 'FETCH',
  state: 'selected',
  uid: 'also',
  sequence: 'uses',
  parse: parseArguments,
  run: (session, args, isUid) =>
    withMessageLimit(session, args.set, isUid, set => runFetch(session, { ...args, set }, isUid)),
})

function parseArguments(parser: Parser, context: ParseContext): FetchArgs {
  parser.sp()
  const set = parser.sequenceSet()
  parser.sp()
  const items = parseFetchItems(parser, context)
  return { set, items, modifiers: parseFetchModifiers(parser, context) }
}
