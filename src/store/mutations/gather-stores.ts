// Changes of flags that wait one behind the other, as pipelined STOREs do, made as one.
//
// Invariant: the answers are what they would be one after another, but that the changes have one modSeq, perhaps with those of another session. So their
// messages are others each time, and none asks for UNCHANGEDSINCE.
import type { FlagSet } from '../flags.ts'
import { isAmong, uidsInRow, type UidRange, type UidRanges } from '../uid-ranges.ts'
import type { StoredFlags, StoreFlags } from './store-flags.ts'

/** Whether the next one can be made together with the one before it, and so with all that can with that one. */
export function isJoinable(before: StoreFlags, next: StoreFlags): boolean {
  return (
    before.account === next.account &&
    before.mailbox === next.mailbox &&
    before.mode === next.mode &&
    before.knownTo === next.knownTo &&
    isSame(before.flags, next.flags) &&
    !before.keeps &&
    !next.keeps &&
    before.unchangedSince === undefined &&
    next.unchangedSince === undefined &&
    isBehind(before.uids, next.uids)
  )
}

function isSame(flags: FlagSet, others: FlagSet): boolean {
  return (
    flags.system === others.system &&
    flags.keywords.length === others.keywords.length &&
    flags.keywords.every((keyword, at) => keyword === others.keywords[at])
  )
}

function isBehind(before: UidRanges, after: UidRanges): boolean {
  const last = before.at(-1)
  const [next] = after
  return last !== undefined && next !== undefined && next[0] > last[1]
}

/** The one change. */
export function joinStores(all: readonly StoreFlags[]): StoreFlags {
  const ranges: [first: number, last: number][] = []
  for (const { uids } of all) {
    for (const [first, last] of uids) {
      const before = ranges[ranges.length - 1]
      if (before && first === before[1] + 1) before[1] = last
      else ranges.push([first, last])
    }
  }
  return { ...(all[0] as StoreFlags), uids: ranges }
}

/** What each of them would have been answered. */
export function splitStored(all: readonly StoreFlags[], stored: StoredFlags): readonly StoredFlags[] {
  let from = 0
  return all.map(({ uids }) => {
    const changed: UidRange[] = []
    for (const [first, last] of uids) {
      // Both ascend.
      while ((stored.changed[from]?.[1] ?? Infinity) < first) from++
      for (let at = from; (stored.changed[at]?.[0] ?? Infinity) <= last; at++) {
        const [start, end] = stored.changed[at] as UidRange
        changed.push([Math.max(start, first), Math.min(end, last)])
      }
    }
    const surprising = stored.surprising.filter(({ uid }) => isAmong(uids, uid))
    return { modSeq: stored.modSeq, changed, surprising, unmodified: uidsInRow([]) }
  })
}
