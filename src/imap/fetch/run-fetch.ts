// Carries a FETCH out: planned once, then streamed. RFC 9051 §6.4.5, §7.5.2; RFC 7162 §3.1.4, §3.2.6; RFC 2180 §4.1.
import type { ModSeq } from '../../base/ids.ts'
import { ConnectionError } from '../../net/connection-error.ts'
import { StoreError } from '../../store/error.ts'
import { seen } from '../../store/flags.ts'
import { rightBits } from '../../store/rights.ts'
import { beginFlagChange, finishFlagChange } from '../change-flags.ts'
import { breatheIn } from '../breaths.ts'
import type { Completion } from '../command.ts'
import { vanishedSince } from '../commands/resynchronize.ts'
import { enableCondstore } from '../condstore.ts'
import { no } from '../error.ts'
import type { MailboxView, Selection } from '../mailbox-view.ts'
import { partOf, type PartialRange } from '../partial-range.ts'
import { formatMany, type SequenceSet } from '../sequence-set.ts'
import { rangesOf } from '../../store/uid-ranges.ts'
import type { Session } from '../session.ts'
import { BrokenResponse } from './broken-response.ts'
import type { FetchItem } from './fetch-item.ts'
import { modSeqItem } from './items/modseq.ts'
import { uidItem } from './items/uid.ts'
import type { FetchModifiers } from './modifiers.ts'
import { MessageWriter } from './message-writer.ts'
import { allTargets, findChangedTargets, findTargets, type Targets } from './targets.ts'

export interface FetchArgs {
  readonly set: SequenceSet
  readonly items: readonly FetchItem[]
  readonly modifiers: FetchModifiers
}

/** Answers FETCH, or UID FETCH where `isUid`. */
export async function runFetch(session: Session, args: FetchArgs, isUid: boolean): Promise<Completion> {
  const { view } = session
  const { changedSince, vanished } = args.modifiers
  if (changedSince !== undefined || args.items.some(({ showsModSeq }) => showsModSeq))
    enableCondstore(session)
  await view.refresh()
  if (vanished && changedSince !== undefined)
    await tellVanished(session, view, args.set, changedSince as ModSeq)
  let targets = chooseTargets(session, args, isUid)
  let { missing } = targets
  const { snapshot } = view
  const seenAt = await markSeen(session, view, args.items, targets)
  // The messages have other positions now, also where all were \Seen by then.
  if (view.snapshot !== snapshot) {
    targets = findTargets(view.snapshot, targets, undefined)
    missing += targets.missing
  }
  const writer = new MessageWriter(session, itemsToWrite(session, args, isUid), seenAt)
  try {
    await writer.write(targets)
  } catch (error) {
    if (error instanceof BrokenResponse) abandon(session, error)
    throw error
  }
  if (writer.refusal) throw writer.refusal
  if (writer.lost.length > 0) await assertExpunged(view, writer.lost)
  if (missing + writer.lost.length === 0) return {}
  // The numbers stay in use until another command, so the client must know that they were not answered (RFC 2180 §4.1.2); by UID he is told of the
  // expunge with this very answer, and a UID that is not there is no error (RFC 9051 §6.4.9).
  if (!isUid) throw no('EXPUNGEISSUED', 'Some of the messages are gone')
  return { code: 'EXPUNGEISSUED', text: 'Some of the messages are gone' }
}

function chooseTargets(
  { view, context: { ascending } }: Session,
  { set, modifiers: { changedSince, partial } }: FetchArgs,
  isUid: boolean,
): Targets {
  const { snapshot } = view
  if (changedSince !== undefined && isUid && !partial && view.knowsSnapshot)
    return findChangedTargets(snapshot, view.uidRanges(set), changedSince as ModSeq)
  if (changedSince === undefined && !partial && view.knowsSnapshot && view.namesAll(set, isUid))
    return allTargets(snapshot, ascending)
  const selected = view.select(set, isUid)
  return findTargets(snapshot, partial ? partOfSelection(selected, partial) : selected, changedSince)
}

function partOfSelection({ numbers, uids }: Selection, range: PartialRange): Selection {
  const part = partOf(Uint32Array.from(uids), range)
  return { count: part.length, numbers: partOf(Uint32Array.from(numbers), range), uids: part }
}

/** The items of each answer: those asked for, and what the session's switches add. */
function itemsToWrite(
  session: Session,
  { items, modifiers }: FetchArgs,
  isUid: boolean,
): readonly FetchItem[] {
  const all = [...items]
  const showsFlags = items.some(item => item.showsFlags)
  // RFC 9051 §6.4.9: UID is in every answer to UID FETCH; RFC 9586 §3.2: but UIDFETCH names it already.
  if (isUid && !items.includes(uidItem) && !session.has('UIDONLY')) all.unshift(uidItem)
  // RFC 7162 §3.1: a CONDSTORE-aware client gets the modSeq with the flags; §3.1.4.1: CHANGEDSINCE implies MODSEQ.
  const wantsModSeq = modifiers.changedSince !== undefined || (showsFlags && session.has('CONDSTORE'))
  if (wantsModSeq && !items.includes(modSeqItem)) all.push(modSeqItem)
  return all
}

/**
 * Makes the messages \Seen in one mutation, before their flags are told (RFC 9051 §6.4.5). The modSeq of that change,
 * undefined when nothing changed.
 */
async function markSeen(
  session: Session,
  view: MailboxView,
  items: readonly FetchItem[],
  targets: Targets,
): Promise<ModSeq | undefined> {
  // RFC 9051 §6.3.3: EXAMINE changes nothing.
  if (view.isReadOnly || !items.some(({ setsSeen }) => setsSeen)) return undefined
  // RFC 4314 §4: without the right it stays as it is.
  if ((view.rights & rightBits.s) === 0) return undefined
  const { flags } = view.snapshot
  const unseen: number[] = []
  for (let at = 0; at < targets.count; at++) {
    if ((flags.at(targets.positions[at] as number) & seen) === 0) unseen.push(targets.uids[at] as number)
  }
  if (unseen.length === 0) return undefined
  const stored = await beginFlagChange(session, {
    uids: rangesOf(unseen),
    mode: 'add',
    flags: { system: seen, keywords: [] },
  })
  await finishFlagChange(session, stored, false)
  return stored.changed.length > 0 ? stored.modSeq : undefined
}

/** RFC 7162 §3.2.6. Messages that the client still counts are left to the VANISHED that ends the command. */
async function tellVanished(
  session: Session,
  view: MailboxView,
  set: SequenceSet,
  modSeq: ModSeq,
): Promise<void> {
  const knownUids = set.kind === 'saved' ? rangesOf(view.saved) : set.ranges
  const breathe = () => breatheIn(session)
  const vanished = await vanishedSince(view, { modSeq, knownUids }, breathe)
  const gone = vanished.filter(uid => view.numberOf(uid) === 0)
  if (gone.length > 0) session.out.line(`* VANISHED (EARLIER) ${await formatMany(gone, breathe)}`)
}

/** Content was missing: fine when the message is gone too, damage when it is still there. */
async function assertExpunged(view: MailboxView, lost: readonly number[]): Promise<void> {
  const snapshot = await view.refresh()
  for (const uid of lost) {
    if (snapshot.positionOf(uid) >= 0) throw new StoreError('corrupt', `message ${uid} has lost its content`)
  }
}

/** Ends a connection in the middle of a response, where no farewell could be told from message text. */
function abandon(session: Session, error: BrokenResponse): never {
  session.context.log.error(
    { connection: session.connection.id, error },
    'a message could not be read to its end',
  )
  session.connection.destroy()
  throw new ConnectionError('ConnectionClosed', 'a response could not be finished', { cause: error })
}
