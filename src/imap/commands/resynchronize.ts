// SELECT (QRESYNC …): what changed since the client was last here. RFC 7162 §3.2.5.
import { type Breathe, inStretches } from '../../base/breathe.ts'
import type { ModSeq } from '../../base/ids.ts'
import type { UidRange } from '../../store/uid-ranges.ts'
import { breatheIn, breatheWriting } from '../breaths.ts'
import type { MailboxView } from '../mailbox-view.ts'
import { formatMany, normalizeRanges } from '../sequence-set.ts'
import type { Session } from '../session.ts'
import { syncStyle } from '../sync-style.ts'

/** What the client remembers of the mailbox. */
export interface Resynchronization {
  readonly uidValidity: number
  readonly modSeq: ModSeq
  readonly knownUids: readonly UidRange[] | undefined
  /** Some message numbers with the UIDs they had: where they still fit, nothing below was expunged. */
  readonly match: { readonly numbers: readonly UidRange[]; readonly uids: readonly UidRange[] } | undefined
}

/** Writes VANISHED (EARLIER) and FETCH for what the client has missed; nothing when its UIDVALIDITY is another. */
export async function resynchronize(
  session: Session,
  view: MailboxView,
  known: Resynchronization,
): Promise<void> {
  const { snapshot } = view
  if (known.uidValidity !== snapshot.uidValidity) return
  const from = firstUnmatched(view, known)
  const breathe = () => breatheIn(session)
  const gone = await vanishedSince(view, known, breathe, from)
  if (gone.length > 0) session.out.line(`* VANISHED (EARLIER) ${await formatMany(gone, breathe)}`)
  const isKnown = membership(known.knownUids)
  const style = { ...syncStyle(session), modSeq: true, vanished: true }
  const changed = snapshot.changedAfter(known.modSeq)
  const { uids, flags, modSeqs } = snapshot
  await inStretches(
    changed.length,
    () => breatheWriting(session),
    (start, end) => {
      for (let at = start; at < end; at++) {
        const position = changed[at] as number
        const uid = uids.at(position)
        if (isKnown(uid))
          view.tellFlagsOf(position + 1, uid, flags.at(position), modSeqs.at(position), session.out, style)
      }
    },
  )
}

/** UIDs at or after `from` that the client may know and that are gone, ascending. */
export async function vanishedSince(
  { snapshot }: Pick<MailboxView, 'snapshot'>,
  known: { readonly modSeq: ModSeq; readonly knownUids: readonly UidRange[] | undefined },
  breathe: Breathe,
  from = 1,
): Promise<number[]> {
  const isKnown = membership(known.knownUids)
  const { isComplete, vanished } = await snapshot.changesAfter(known.modSeq)
  const gone: number[] = []
  if (isComplete) {
    await inStretches(vanished.length, breathe, (start, end) => {
      for (let at = start; at < end; at++) {
        const { uid } = vanished[at] as (typeof vanished)[number]
        if (uid >= from && isKnown(uid)) gone.push(uid)
      }
    })
    return gone
  }
  // Expunges that long ago are forgotten: every UID that the client may know and that isn't there is gone (RFC 7162 §3.2.6).
  const ranges = normalizeRanges(known.knownUids ?? [[1, snapshot.uidNext - 1]], snapshot.uidNext - 1)
  for (const [lowest, last] of ranges) {
    const first = Math.max(lowest, from)
    let position = snapshot.lowerBound(first)
    await inStretches(Math.min(last, snapshot.uidNext - 1) + 1 - first, breathe, (start, end) => {
      for (let uid = first + start; uid < first + end; uid++) {
        if (position < snapshot.count && snapshot.uids.at(position) === uid) position++
        else gone.push(uid)
      }
    })
  }
  return gone
}

/** Whether a UID is in the ranges; every one is where the client named none. */
function membership(ranges: readonly UidRange[] | undefined): (uid: number) => boolean {
  if (!ranges) return () => true
  const ordered = normalizeRanges(ranges, 0xffff_ffff)
  return uid => {
    let low = 0
    let high = ordered.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ordered[middle] as UidRange)[1] < uid) low = middle + 1
      else high = middle
    }
    const range = ordered[low]
    return range !== undefined && range[0] <= uid
  }
}

/**
 * The first UID from which on the client's memory may differ: behind the last pair of number and UID that still fits (RFC 7162 §3.2.5.2).
 * Only an optimisation for forgotten expunges; the client counts it as so.
 */
function firstUnmatched(view: MailboxView, { match }: Resynchronization): number {
  if (!match) return 1
  const numbers = expand(match.numbers)
  const uids = expand(match.uids)
  let from = 1
  for (;;) {
    const number = numbers.next()
    const uid = uids.next()
    if (number.done || uid.done || number.value > view.count || view.uidOf(number.value) !== uid.value)
      return from
    from = uid.value + 1
  }
}

function* expand(ranges: readonly UidRange[]): Generator<number, undefined> {
  for (const [first, last] of ranges) for (let number = first; number <= last; number++) yield number
  return undefined
}
