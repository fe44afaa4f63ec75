// How many messages one command may work on. RFC 9738.
import { deleted } from '../store/flags.ts'
import type { Completion } from './command.ts'
import { ImapError, no } from './error.ts'
import { type SequenceSet } from './sequence-set.ts'
import { rangesOf } from '../store/uid-ranges.ts'
import type { Session } from './session.ts'

/** Infinity where there is no limit. */
export function messageLimit(session: Session): number {
  return session.context.config.imap.messageLimit ?? Infinity
}

/** For COPY and APPEND, which SAVELIMIT is about too. */
export function saveLimit(session: Session): number {
  return Math.min(messageLimit(session), session.context.config.imap.saveLimit ?? Infinity)
}

/** `MESSAGELIMIT n uid`: the lowest UID that was worked on. */
export function messageLimitCode(most: number, lowestUid?: number): string {
  return lowestUid === undefined ? `MESSAGELIMIT ${most}` : `MESSAGELIMIT ${most} ${lowestUid}`
}

/** Runs a command on the last messages of `set`, as many as may be, and says so where there are more (RFC 9738 §3.1). */
export async function withMessageLimit(
  session: Session,
  set: SequenceSet,
  isUid: boolean,
  run: (set: SequenceSet) => Promise<Completion>,
): Promise<Completion> {
  const limited = limitMessages(session, set, isUid)
  return saidToBeLimited(session, limited, async () => run(limited.set))
}

/** The last messages of a set, as many as may be. */
export interface LimitedSet {
  readonly set: SequenceSet
  /** The lowest UID of them, where there were more. */
  readonly lowestUid: number | undefined
}

export function limitMessages(session: Session, set: SequenceSet, isUid: boolean): LimitedSet {
  const most = messageLimit(session)
  const { view } = session
  if (view.count <= most) return { set, lowestUid: undefined }
  const { count, uids, numbers } = view.select(set, isUid)
  if (count <= most) return { set, lowestUid: undefined }
  // `$` stands for UIDs in both forms of a command.
  const kept = Array.from(isUid ? uids : numbers).slice(-most)
  return { set: { kind: 'ranges', ranges: rangesOf(kept) }, lowestUid: uids[count - most] as number }
}

/** What `run` says, and that there were more messages. */
export function saidToBeLimited(
  session: Session,
  { lowestUid }: LimitedSet,
  run: () => Promise<Completion>,
): Promise<Completion> {
  return lowestUid === undefined ? run() : complete(session, messageLimit(session), lowestUid, run)
}

/** The code stands in the tagged OK; in an untagged NO where that has another to carry (RFC 9738 §3.1). */
export async function complete(
  session: Session,
  most: number,
  lowestUid: number,
  run: () => Promise<Completion>,
): Promise<Completion> {
  const code = messageLimitCode(most, lowestUid)
  const text = `Done for the last ${most} messages`
  let completion: Completion
  try {
    completion = await run()
  } catch (error) {
    if (error instanceof ImapError && error.status === 'NO') session.respond('*', 'NO', code, text)
    throw error
  }
  if (completion.code === undefined) return { ...completion, code, text }
  session.respond('*', 'NO', code, text)
  return completion
}

/** COPY is all or nothing: throws NO where there are too many (RFC 9738 §3.1). */
export function assertMayCopy(session: Session, uids: ArrayLike<number>): void {
  const most = saveLimit(session)
  if (uids.length > most)
    throw no(
      messageLimitCode(most, uids[uids.length - most] as number),
      'Too many messages to copy, try a smaller subset',
    )
}

/** The last UIDs among `uids` with \Deleted that UID EXPUNGE may remove, and the lowest of them where there were more. */
export function limitDeleted(
  session: Session,
  uids: ArrayLike<number>,
): { readonly uids: ArrayLike<number>; readonly lowestUid: number | undefined } {
  const most = messageLimit(session)
  if (uids.length <= most) return { uids, lowestUid: undefined }
  const { snapshot } = session.view
  const marked = Array.from(uids).filter(uid => {
    const position = snapshot.positionOf(uid)
    return position >= 0 && (snapshot.flags.at(position) & deleted) !== 0
  })
  if (marked.length <= most) return { uids: marked, lowestUid: undefined }
  const kept = marked.slice(-most)
  return { uids: kept, lowestUid: kept[0] }
}
