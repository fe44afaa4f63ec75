// Where the messages of a mailbox with \Deleted are. RFC 9051 §6.4.3.
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
  const { count, flags, uids } = snapshot
  const ranges: [number, number][] = []
  let lastPosition = 0
  const look = (from: number, to: number) => {
    for (let position = from; position < to; position++) {
      if ((flags.at(position) & deleted) === 0) continue
      const uid = uids.at(position)
      const previous = ranges.at(-1)
      if (previous && position - lastPosition <= worthARange) previous[1] = uid
      else ranges.push([uid, uid])
      lastPosition = position
    }
  }
  await inStretches(count, breathe, (from, to) => {
    for (let position = from; position < to; ) {
      const { some, until } = snapshot.flagsAround(position)
      const end = Math.min(until, to)
      if ((some & deleted) !== 0) look(position, end)
      position = end
    }
  })
  return ranges
}
