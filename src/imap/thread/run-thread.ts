// Carries a THREAD out. RFC 5256 §3, §4.
import type { Completion } from '../command.ts'
import { enableCondstore } from '../condstore.ts'
import { complete, messageLimit } from '../message-limit.ts'
import type { SearchProgram } from '../search/arguments.ts'
import { breatheIn, findMatches } from '../search/evaluate.ts'
import { limitScope } from '../search/limit-scope.ts'
import { emailOf, openScope, type SearchScope } from '../search/search-scope.ts'
import type { Session } from '../session.ts'
import { type Breathe, breathingSort } from '../sort/breathing-sort.ts'
import { type KeyColumn, readKeyColumns } from '../sort/email-columns.ts'
import { received, Texts } from '../sort/sort-matches.ts'
import { type ThreadedMessages, threadByReferences, threadByRefs } from './by-references.ts'
import { threadBySubject } from './by-subject.ts'
import { type Forest, writeForest } from './forest.ts'
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
  const all = await openScope(session.view, session.context.clock.now())
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
  const forest = await threadMatches(session, scope, matches, args.algorithm)
  const ids = isUid ? scope.uids : scope.numbers
  out.ascii('* THREAD')
  if (forest.roots.length > 0) out.byte(0x20)
  writeForest(
    out,
    forest,
    matches.map(index => ids[index] as number),
  )
  out.crlf()
  return {}
}

async function threadMatches(
  session: Session,
  scope: SearchScope,
  matches: Uint32Array,
  algorithm: ThreadAlgorithm,
): Promise<Forest> {
  const breathe = () => breatheIn(session)
  const ids = Float64Array.from(matches, index => emailOf(scope, index))
  const read = (columns: readonly KeyColumn[], take: Parameters<typeof readKeyColumns>[4]) =>
    readKeyColumns(session.store.reader, scope.view.mailbox.account, ids, columns, take, breathe)
  const receivedAt = received(scope, matches)
  // RFC 5256 §2.2: INTERNALDATE where there is no sent date.
  const sent = Float64Array.from(receivedAt)
  const texts = new Texts(matches.length, session.comparator)
  const isReply = new Uint8Array(matches.length)
  const messageIds = new Array<string>(matches.length).fill('')
  await read(['sent_at', 'base_subject', 'is_reply', 'message_id'], (place, [sentAt, subject, reply, id]) => {
    if (sentAt !== null) sent[place] = sentAt as number
    texts.set(place, subject as string)
    isReply[place] = reply as number
    messageIds[place] = id as string
  })
  const messages: ThreadedMessages = {
    ranks: await ranksOf(sent, breathe),
    subjects: texts.numbers,
    isReply,
    received: receivedAt,
  }
  if (algorithm === 'ORDEREDSUBJECT') return threadBySubject(messages, breathe)
  const links = new ReferenceLinks(messageIds)
  await readReferences(read, links, breathe)
  return algorithm === 'REFS'
    ? threadByRefs(links, messages, breathe)
    : threadByReferences(links, messages, breathe)
}

/** Links the messages in mailbox order, although emails may have been stored in another (they were moved here). */
async function readReferences(
  read: (columns: readonly KeyColumn[], take: Parameters<typeof readKeyColumns>[4]) => Promise<void>,
  links: ReferenceLinks,
  breathe: Breathe,
): Promise<void> {
  const waiting = new Map<number, string>()
  let next = 0
  await read(['reference_ids'], async (place, [references]) => {
    waiting.set(place, references as string)
    for (let text = waiting.get(next); text !== undefined; text = waiting.get(next)) {
      waiting.delete(next)
      add(links, next++, text)
      await breathe()
    }
  })
  // Emails that are gone meanwhile leave gaps.
  for (const [place, text] of [...waiting].sort(([a], [b]) => a - b)) {
    add(links, place, text)
    await breathe()
  }
}

function add(links: ReferenceLinks, message: number, references: string): void {
  links.add(message, references === '' ? [] : references.split(' '))
}

/** The rank of each date among all, ties in mailbox order. */
async function ranksOf(dates: Float64Array, breathe: Breathe): Promise<Uint32Array> {
  const order = Uint32Array.from(dates, (_date, place) => place)
  await breathingSort(order, (a, b) => (dates[a] as number) - (dates[b] as number), breathe)
  const ranks = new Uint32Array(order.length)
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank] as number] = rank
  return ranks
}
