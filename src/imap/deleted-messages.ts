// Where the messages of a mailbox with \Deleted are, and what they weigh. RFC 9051 §6.4.3; RFC 9208 §4.1.4 (DELETED-STORAGE).
import { type Breathe, inStretches } from '../base/breathe.ts'
import { deleted } from '../store/flags.ts'
import type { MailboxSnapshot } from '../store/mailbox-snapshot.ts'
import type { UidRanges } from '../store/uid-ranges.ts'

/** So many messages are looked at for what another range costs. */
const worthARange = 64

/**
 * UIDs among which are all messages with \Deleted, and few others, so that the store looks at those and not at the whole
 * mailbox: it takes a microsecond for each message, the snapshot a nanosecond.
 */
export async function deletedRanges(snapshot: MailboxSnapshot, breathe: Breathe): Promise<UidRanges> {
  const ranges: [number, number][] = []
  let lastPosition = 0
  await eachDeleted(snapshot, breathe, position => {
    const uid = snapshot.uids.at(position)
    const previous = ranges.at(-1)
    if (previous && position - lastPosition <= worthARange) previous[1] = uid
    else ranges.push([uid, uid])
    lastPosition = position
  })
  return ranges
}

/** How many bytes an EXPUNGE would free. */
export async function deletedBytes(snapshot: MailboxSnapshot, breathe: Breathe): Promise<number> {
  let bytes = 0
  await eachDeleted(snapshot, breathe, position => {
    bytes += snapshot.sizes.at(position)
  })
  return bytes
}

function eachDeleted(
  snapshot: MailboxSnapshot,
  breathe: Breathe,
  take: (position: number) => void,
): Promise<void> {
  const { count, flags } = snapshot
  return inStretches(count, breathe, (from, to) => {
    for (let position = from; position < to; ) {
      const { some, until } = snapshot.flagsAround(position)
      const end = Math.min(until, to)
      if ((some & deleted) !== 0)
        for (let at = position; at < end; at++) if ((flags.at(at) & deleted) !== 0) take(at)
      position = end
    }
  })
}
