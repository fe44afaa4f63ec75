// Which messages of the snapshot a command is about.
import type { Ascending } from '../../base/ascending.ts'
import type { ModSeq } from '../../base/ids.ts'
import type { MailboxSnapshot } from '../../store/mailbox-snapshot.ts'
import type { UidRanges } from '../../store/uid-ranges.ts'
import type { Selection } from '../mailbox-view.ts'

/** Messages that the client knows and that are still there, ascending. */
export interface Targets {
  readonly count: number
  readonly numbers: Uint32Array
  readonly uids: Uint32Array
  /** In the snapshot. */
  readonly positions: Uint32Array
  /** Messages that the client named and that another session has expunged. */
  readonly missing: number
}

/** Finds the chosen messages in the snapshot; with `changedSince` only those whose modSeq is larger (RFC 7162 §3.1.4.1). */
export function findTargets(
  snapshot: MailboxSnapshot,
  chosen: Selection,
  changedSince: number | undefined,
): Targets {
  const numbers = new Uint32Array(chosen.count)
  const uids = new Uint32Array(chosen.count)
  const positions = new Uint32Array(chosen.count)
  let count = 0
  let missing = 0
  let position = 0
  for (let at = 0; at < chosen.count; at++) {
    const uid = chosen.uids[at] as number
    // Most often it is the next one.
    const isNext = position < snapshot.count && snapshot.uids.at(position) === uid
    if (!isNext) position = snapshot.lowerBound(uid)
    if (!isNext && (position >= snapshot.count || snapshot.uids.at(position) !== uid)) missing++
    else {
      if (changedSince === undefined || snapshot.modSeqs.at(position) > changedSince) {
        numbers[count] = chosen.numbers[at] as number
        uids[count] = uid
        positions[count++] = position
      }
      position++
    }
  }
  return { count, numbers, uids, positions, missing }
}

/** All messages of the snapshot, for a client who knows exactly those. */
export function allTargets({ count, uids }: MailboxSnapshot, ascending: Ascending): Targets {
  const places = ascending.below(count + 1)
  return {
    count,
    numbers: places.subarray(1),
    uids: uids.upTo(count),
    positions: places.subarray(0, count),
    missing: 0,
  }
}

/**
 * The messages with UIDs in `ranges` (ascending) that changed after `changedSince`, by what the snapshot remembers of changes: without a look at all the others.
 * For a client who knows exactly the snapshot's messages.
 */
export function findChangedTargets(
  snapshot: MailboxSnapshot,
  ranges: UidRanges,
  changedSince: ModSeq,
): Targets {
  const found: number[] = []
  let range = 0
  for (const position of snapshot.changedAfter(changedSince)) {
    const uid = snapshot.uids.at(position)
    while (uid > (ranges[range]?.[1] ?? Infinity)) range++
    if (uid >= (ranges[range]?.[0] ?? Infinity)) found.push(position)
  }
  const positions = Uint32Array.from(found)
  return {
    count: positions.length,
    numbers: positions.map(position => position + 1),
    uids: positions.map(position => snapshot.uids.at(position)),
    positions,
    missing: 0,
  }
}
