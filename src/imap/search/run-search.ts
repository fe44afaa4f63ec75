// Carries a SEARCH or a SORT out and answers it. RFC 9051 §6.4.4; RFC 4731; RFC 5182 §2; RFC 5256 §3; RFC 5267 §3; RFC 7162 §3.1.5.
import type { Completion } from '../command.ts'
import { enableCondstore } from '../condstore.ts'
import { bad } from '../error.ts'
import { noUids } from '../mailbox-view.ts'
import { complete, messageLimit } from '../message-limit.ts'
import type { Session } from '../session.ts'
import { relevancyOf } from './relevancy.ts'
import type { SortCriterion } from '../sort/sort-criterion.ts'
import { sortMatches } from '../sort/sort-matches.ts'
import type { ReturnOptions, SearchArgs } from './arguments.ts'
import { type ContextSearch, SearchContexts } from './contexts.ts'
import { findMatches } from './evaluate.ts'
import { limitScope } from './limit-scope.ts'
import { openScope, type SearchScope } from './search-scope.ts'
import { type SearchResult, uidsToSave, writeEsearch, writeNumbers } from './write-result.ts'

/** What IMAP4rev2 returns when it is not said (RFC 9051 §6.4.4). */
export const returnAll: ReturnOptions = {
  min: false,
  max: false,
  all: true,
  count: false,
  save: false,
  partial: undefined,
  update: false,
  relevancy: false,
  answers: true,
}

type AnswerArgs = SearchArgs & { readonly sort?: readonly SortCriterion[] }

/** Answers SEARCH, or SORT where there are criteria to sort by; UID SEARCH or UID SORT where `isUid`. */
export async function runSearch(session: Session, args: AnswerArgs, isUid: boolean): Promise<Completion> {
  if (!args.returns?.save) return answer(session, args, isUid)
  try {
    return await answer(session, args, isUid)
  } catch (error) {
    // RFC 5182 §2.1: a search that was to be saved and is answered NO leaves nothing saved.
    session.view.save(noUids)
    throw error
  }
}

async function answer(session: Session, args: AnswerArgs, isUid: boolean): Promise<Completion> {
  // RFC 5267 §4.3.
  if (args.returns?.update && session.view.contexts?.has(args.tag)) throw bad('Tag reuse')
  if (args.refusal) throw args.refusal
  if (!args.isFuzzy && (args.returns?.relevancy || sortsByRelevancy(args)))
    throw bad('RELEVANCY needs a FUZZY key')
  if (args.usesModSeq) enableCondstore(session)
  const most = messageLimit(session)
  const all = await openScope(session.view, session.context)
  const { scope, lowestUid } = limitScope(all, args.criterion, most)
  const run = () => answerWithin(session, args, isUid, scope)
  return lowestUid === undefined ? run() : complete(session, most, lowestUid, run)
}

async function answerWithin(
  session: Session,
  args: AnswerArgs,
  isUid: boolean,
  scope: SearchScope,
): Promise<Completion> {
  const { view, out } = session
  const found = await findMatches(session, scope, args.criterion)
  const needsRelevancy = args.returns?.relevancy === true || sortsByRelevancy(args)
  const relevancy = needsRelevancy ? await relevancyOf(session, scope, args.criterion, found) : undefined
  const matches = args.sort ? await sortMatches(session, scope, found, args.sort, relevancy) : found
  const result: SearchResult = { scope, matches, isUid, usesModSeq: args.usesModSeq, relevancy }
  // The older answer to SORT has no successor in IMAP4rev2.
  if (args.returns === undefined && (args.sort || !session.has('IMAP4REV2'))) {
    await writeNumbers(session, args.sort ? 'SORT' : 'SEARCH', result)
    return {}
  }
  const returns = args.returns ?? returnAll
  const correlator = { tag: args.tag, mailbox: undefined }
  if (returns.save) view.save(await uidsToSave(session, result, returns))
  if (returns.answers) await writeEsearch(session, correlator, returns, result)
  if (!returns.update) return returns.save ? { text: 'Searched, and the result is saved' } : {}
  if (await keepUpdated(session, { ...args, correlator, sort: args.sort }, result))
    return { text: 'Searched, will notify' }
  // RFC 5267 §4.3.1.
  out.line(`* NO [NOUPDATE "${args.tag}"] Too many contexts`)
  return { text: 'Searched, will not notify' }
}

function sortsByRelevancy({ sort }: AnswerArgs): boolean {
  return sort?.some(({ source }) => source.kind === 'relevancy') ?? false
}

/** Tells the client from now on of changes to the result; false when that would be too much. */
export async function keepUpdated(
  session: Session,
  { correlator, criterion, sort }: Omit<ContextSearch, 'isUid'>,
  { scope, matches, isUid }: SearchResult,
): Promise<boolean> {
  const { view } = session
  // What is relevant hangs on all that is found.
  if (sort?.some(({ source }) => source.kind === 'relevancy')) return false
  view.contexts ??= new SearchContexts(session)
  return view.contexts.add({ correlator, isUid, criterion, sort }, scope, matches)
}
