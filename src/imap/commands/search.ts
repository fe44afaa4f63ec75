// SEARCH and UID SEARCH. RFC 9051 §6.4.4, §6.4.9; RFC 3501 §6.4.4; ESEARCH of RFC 4731; SEARCHRES of RFC 5182; WITHIN of RFC 5032;
// MODSEQ of RFC 7162 §3.1.5; object ids of RFC 8474; SAVEDATE of RFC 8514; FILTER of RFC 5466. The keys are in `search/keys.ts`.
import { resolvedCommand } from '../command.ts'
import { parseSearch, resolveProgram } from '../search/arguments.ts'
import { runSearch } from '../search/run-search.ts'

export const search = resolvedCommand({
  name: 'SEARCH',
  state: 'selected',
  uid: 'also',
  // UID SEARCH may speak of message numbers in its keys; an EXPUNGE or VANISHED would then change their meaning (RFC 7162 §3.2.10.2).
  sequence: (args, isUid) => !isUid || args.usesNumbers,
  reportsProgress: true,
  parse: parseSearch,
  resolve: resolveProgram,
  run: runSearch,
})
