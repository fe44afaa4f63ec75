// Carries an ESEARCH out: one answer for each mailbox in which something was found. RFC 7377 §2.
import { StoreError } from '../../store/error.ts'
import type { Completion } from '../command.ts'
import { enableCondstore } from '../condstore.ts'
import { bad, no } from '../error.ts'
import { isSameMailbox, type VisibleMailbox } from '../mailbox-access.ts'
import { MailboxView, noUids, openPicture } from '../mailbox-view.ts'
import { messageLimit } from '../message-limit.ts'
import type { Session } from '../session.ts'
import type { SearchArgs } from './arguments.ts'
import { findMatches } from './evaluate.ts'
import { relevancyOf } from './relevancy.ts'
import { keepUpdated, returnAll } from './run-search.ts'
import { openScope } from './search-scope.ts'
import { findSources, type SearchSource } from './sources.ts'
import { type SearchResult, uidsToSave, writeEsearch } from './write-result.ts'

export interface MultiSearchArgs extends SearchArgs {
  readonly sources: readonly SearchSource[]
}

export async function runMultiSearch(session: Session, args: MultiSearchArgs): Promise<Completion> {
  const isSelected = session.state.kind === 'selected'
  const { returns = returnAll, sources, tag } = args
  // RFC 7377 §2.2.
  if (!isSelected && (returns.update || sources.some(({ kind }) => kind === 'selected')))
    throw bad('select a mailbox first')
  if (returns.save && sources.some(({ kind }) => kind !== 'selected'))
    throw bad('SAVE is for a search of the selected mailbox')
  // RFC 5267 §4.3.
  if (returns.update && session.view.contexts?.has(tag)) throw bad('Tag reuse')
  try {
    return await answer(session, args)
  } catch (error) {
    // RFC 5182 §2.1.
    if (returns.save) session.view.save(noUids)
    throw error
  }
}

async function answer(session: Session, args: MultiSearchArgs): Promise<Completion> {
  if (args.refusal) throw args.refusal
  if (args.returns?.relevancy && !args.isFuzzy) throw bad('RELEVANCY needs a FUZZY key')
  if (args.usesModSeq) enableCondstore(session)
  const { returns = returnAll, tag } = args
  let update: 'none' | 'kept' | 'refused' = returns.update ? 'refused' : 'none'
  const mailboxes = await findSources(session, args.sources)
  // RFC 7377 §2.4; RFC 9738.
  if (mailboxes.reduce((sum, { total }) => sum + total, 0) > messageLimit(session))
    throw no('LIMIT', 'That are too many messages to search at once')
  for (const mailbox of mailboxes) {
    const view = await findView(session, mailbox)
    if (!view) continue
    const scope = await openScope(view, session.context)
    const matches = await findMatches(session, scope, args.criterion)
    const relevancy = returns.relevancy
      ? await relevancyOf(session, scope, args.criterion, matches)
      : undefined
    const result: SearchResult = { scope, matches, isUid: true, usesModSeq: args.usesModSeq, relevancy }
    const correlator = { tag, mailbox: { name: mailbox.name, uidValidity: mailbox.uidValidity } }
    if (returns.save) view.save(await uidsToSave(session, result, returns))
    // RFC 7377 §2.1: nothing is said of mailboxes without a match.
    if (matches.length > 0 && returns.answers) await writeEsearch(session, correlator, returns, result)
    const isOpen = session.state.kind === 'selected' && session.state.view === view
    if (
      returns.update &&
      isOpen &&
      (await keepUpdated(session, { ...args, correlator, sort: undefined }, result))
    )
      update = 'kept'
    await session.out.drain()
  }
  if (update === 'refused') session.out.line(`* NO [NOUPDATE "${tag}"] There is nothing to keep up to date`)
  if (update === 'none') return {}
  return { text: update === 'kept' ? 'Searched, will notify' : 'Searched, will not notify' }
}

/** The client's own view of the selected mailbox, a fresh one of any other; undefined when the mailbox is gone. */
async function findView(
  session: Session,
  { account, id, name, recentUid }: VisibleMailbox,
): Promise<MailboxView | undefined> {
  const { state, store } = session
  if (state.kind === 'selected' && isSameMailbox(state.view.mailbox, { account, id })) return state.view
  try {
    const picture = await openPicture(store, { account, id }, session.account)
    const options = { isReadOnly: true, firstRecentUid: recentUid }
    return new MailboxView(store, { account, id, name }, picture, options)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'no-such-mailbox') return undefined
    throw error
  }
}
