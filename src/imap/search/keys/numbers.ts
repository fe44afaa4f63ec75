// Keys about sets, sizes and modSeqs. RFC 9051 §6.4.4; `$` of RFC 5182; MODSEQ of RFC 7162 §3.1.5.
import { bad } from '../../error.ts'
import { rangesOf, type UidRanges } from '../../../store/uid-ranges.ts'
import { normalizeRanges, type SequenceSet } from '../../sequence-set.ts'
import type { Parser } from '../../input/parser.ts'
import type { SearchKey, SearchKeyDefinition } from '../search-key.ts'
import type { SearchScope } from '../search-scope.ts'

/**
 * Messages by number. Numbers past the last match nothing, rather than being refused: clients race with EXPUNGE here, and Dovecot has taught them so.
 */
export function numberSet(set: SequenceSet): SearchKey {
  if (set.kind === 'saved') return uidSet(set)
  const bind = ({ numbers, view }: SearchScope) => {
    const isIn = inRanges(normalizeRanges(set.ranges, view.count))
    return (index: number) => isIn(numbers[index] as number)
  }
  return { kind: 'key', cost: 'snapshot', usesNumbers: true, isMomentary: true, bind, narrow: bind }
}

function uidSet(set: SequenceSet): SearchKey {
  const bind = ({ uids, view }: SearchScope) => {
    const last = view.count > 0 ? view.uidOf(view.count) : 0
    const isIn = inRanges(set.kind === 'saved' ? rangesOf(view.saved) : normalizeRanges(set.ranges, last))
    return (index: number) => isIn(uids[index] as number)
  }
  return { kind: 'key', cost: 'snapshot', isMomentary: set.kind === 'saved', bind, narrow: bind }
}

export const uid: SearchKeyDefinition = {
  name: 'UID',
  parse(parser) {
    parser.sp()
    return uidSet(parser.sequenceSet())
  },
}

/** Whether a number is in the ranges. Quickest when asked in ascending order. */
function inRanges(ranges: UidRanges): (number: number) => boolean {
  let at = 0
  return number => {
    if (at > 0 && (ranges[at - 1] as readonly [number, number])[1] >= number) at = lowerBound(ranges, number)
    for (let range = ranges[at]; range !== undefined && range[1] < number; ) range = ranges[++at]
    const range = ranges[at]
    return range !== undefined && range[0] <= number
  }
}

/** The first range that does not end below `number`. */
function lowerBound(ranges: UidRanges, number: number): number {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle] as readonly [number, number])[1] < number) low = middle + 1
    else high = middle
  }
  return low
}

function sizeKey(name: string, matches: (size: number, bound: number) => boolean): SearchKeyDefinition {
  return {
    name,
    parse(parser) {
      parser.sp()
      const bound = parser.number64()
      return {
        kind: 'key',
        cost: 'snapshot',
        bind({ snapshot: { sizes }, positions }) {
          return index => matches(sizes.at(positions[index] as number), bound)
        },
      }
    },
  }
}

export const sizeKeys: readonly SearchKeyDefinition[] = [
  sizeKey('LARGER', (size, bound) => size > bound),
  sizeKey('SMALLER', (size, bound) => size < bound),
]

/** MODSEQ ["/flags/name" priv|shared|all] n: from n on. One modSeq serves all metadata, so the entry is read and ignored (RFC 7162 §3.1.5). */
export const modSeq: SearchKeyDefinition = {
  name: 'MODSEQ',
  parse(parser) {
    parser.sp()
    if (parser.peek('"')) {
      parseEntry(parser)
      parser.sp()
    }
    const bound = parser.number64()
    return {
      kind: 'key',
      cost: 'snapshot',
      usesModSeq: true,
      bind({ snapshot: { modSeqs }, positions }) {
        return index => modSeqs.at(positions[index] as number) >= bound
      },
    }
  },
}

function parseEntry(parser: Parser): void {
  const entry = parser.string()
  if (!entry.startsWith('/flags/') || entry.length === 7) throw bad('an entry has the form "/flags/name"')
  parser.sp()
  const type = parser.keyword()
  if (type !== 'PRIV' && type !== 'SHARED' && type !== 'ALL') throw bad('an entry is priv, shared or all')
}
