// Carries a THREAD out. RFC 5256 §3, §4.
import type { EmailColumns } from '../../store/email-columns.ts'
import { numbersBelow, type Breathe, inStretches, stepsPerBreath, valuesAt } from '../../base/breathe.ts'
import { breatheIn, writeInPieces } from '../breaths.ts'
import type { Completion } from '../command.ts'
import { enableCondstore } from '../condstore.ts'
import { complete, messageLimit } from '../message-limit.ts'
import type { SearchProgram } from '../search/arguments.ts'
import { findMatches } from '../search/evaluate.ts'
import { limitScope } from '../search/limit-scope.ts'
import { emailsOf, openScope, type SearchScope } from '../search/search-scope.ts'
import type { Session } from '../session.ts'
import { breathingSort } from '../../base/breathing-sort.ts'
import { received, sentDates } from '../sort/sort-matches.ts'
import { type ThreadedMessages, threadByReferences, threadByRefs } from './by-references.ts'
import { threadBySubject } from './by-subject.ts'
import { type FlatForest, flatten, type Forest, writeForest } from './forest.ts'
import { ReferenceLinks } from './reference-links.ts'

export const threadAlgorithms = ['ORDEREDSUBJECT', 'REFERENCES', 'REFS'] as const
export type ThreadAlgorithm = (typeof threadAlgorithms)[number]

export interface ThreadArgs extends SearchProgram {
  readonly algorithm: ThreadAlgorithm
}

/** Answers THREAD, or UID THREAD where `isUid`. */
export async function runThread(session: Session, args: ThreadArgs, isUid: boolean): Promise<Completion> {
  if (args.refusal) throw args.refusal
  if (args.usesModSeq) enableCondstore(session)
  const most = messageLimit(session)
  const all = await openScope(session.view, session.context)
  const { scope, lowestUid } = limitScope(all, args.criterion, most)
  const run = () => answerWithin(session, args, isUid, scope)
  return lowestUid === undefined ? run() : complete(session, most, lowestUid, run)
}

async function answerWithin(
  session: Session,
  args: ThreadArgs,
  isUid: boolean,
  scope: SearchScope,
): Promise<Completion> {
  const { out } = session
  const matches = await findMatches(session, scope, args.criterion)
  const forest = await forestOf(session, scope, matches, args.algorithm)
  const ids = await valuesAt(isUid ? scope.uids : scope.numbers, matches, () => breatheIn(session))
  await writeInPieces(session, async breathe => {
    out.ascii('* THREAD')
    if (forest.length > 0) out.byte(0x20)
    await writeForest(out, forest, ids, breathe)
    out.crlf()
  })
  return {}
}

/** What is known already of a whole mailbox, else worked out. */
async function forestOf(
  session: Session,
  scope: SearchScope,
  matches: Uint32Array,
  algorithm: ThreadAlgorithm,
): Promise<FlatForest> {
  const what = `THREAD ${algorithm} ${session.comparator.name}`
  return session.context.orders.order(scope, matches, what, async () =>
    flatten(await threadMatches(session, scope, matches, algorithm), () => breatheIn(session)),
  )
}

async function threadMatches(
  session: Session,
  scope: SearchScope,
  matches: Uint32Array,
  algorithm: ThreadAlgorithm,
): Promise<Forest> {
  const breathe = () => breatheIn(session)
  const columns = await session.store.emailColumns.load(
    scope.view.mailbox.account,
    await emailsOf(scope, matches, breathe),
    threadColumns,
    breathe,
  )
  const receivedAt = await received(scope, matches, breathe)
  const subjects = columns.texts('base_subject')
  const subjectRanks = await subjects.set.ranks(session.comparator, breathe)
  const messages: ThreadedMessages = {
    ranks: await orderOf(await sentDates(columns, receivedAt, breathe), breathe),
    subjects: await valuesAt(subjectRanks, subjects.numbers, breathe),
    subjectCount: subjectRanks.length,
    isReply: new Uint8Array(columns.numbers('is_reply')),
    received: receivedAt,
  }
  if (algorithm === 'ORDEREDSUBJECT') return threadBySubject(messages, breathe)
  const links = await linksOf(columns, breathe)
  return algorithm === 'REFS'
    ? threadByRefs(links, messages, breathe)
    : threadByReferences(links, messages, breathe)
}

const threadColumns = ['sent_at', 'base_subject', 'is_reply', 'message_id', 'reference_ids'] as const

/** Links the messages in mailbox order. */
async function linksOf(columns: EmailColumns, breathe: Breathe): Promise<ReferenceLinks> {
  const ids = columns.texts('message_id')
  const references = columns.texts('reference_ids')
  const { length } = ids.numbers
  const links = new ReferenceLinks(length)
  const { bytes, starts } = ids.set.texts
  await inStretches(length, breathe, (from, to) => {
    for (let message = from; message < to; message++) {
      const id = ids.numbers[message] as number
      links.name(message, bytes, starts[id] as number, (starts[id + 1] as number) - 1)
    }
  })
  const { bytes: lists, starts: listStarts } = references.set.texts
  let steps = 0
  for (let message = 0; message < length; message++) {
    const list = references.numbers[message] as number
    // A message may refer to many.
    steps += 1 + links.add(message, lists, listStarts[list] as number, (listStarts[list + 1] as number) - 1)
    if (steps < stepsPerBreath) continue
    steps = 0
    const breath = breathe()
    if (breath !== undefined) await breath
  }
  return links
}

/** The rank of each date among all, ties in mailbox order. */
async function orderOf(dates: Float64Array, breathe: Breathe): Promise<Uint32Array> {
  const order = await numbersBelow(dates.length, breathe)
  await breathingSort(order, (a, b) => (dates[a] as number) - (dates[b] as number), breathe)
  const ranks = new Uint32Array(order.length)
  await inStretches(order.length, breathe, (from, to) => {
    for (let rank = from; rank < to; rank++) ranks[order[rank] as number] = rank
  })
  return ranks
}
