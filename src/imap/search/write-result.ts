// The answers to SEARCH and SORT. RFC 9051 §7.3.4; RFC 3501 §7.2.5; RFC 4731 §3.1; RFC 5256 §4; RFC 5267 §3; RFC 7162 §3.1.5, §3.1.6.
import type { Encoder } from '../encoder.ts'
import { formatNumbers } from '../sequence-set.ts'
import type { ReturnOptions } from './arguments.ts'
import type { SearchScope } from './search-scope.ts'

export interface SearchResult {
  readonly scope: SearchScope
  /** Indexes in the scope: ascending for SEARCH, in their order for SORT. */
  readonly matches: Uint32Array
  readonly isUid: boolean
  /** The answer tells the highest modSeq. */
  readonly usesModSeq: boolean
}

/** `* SEARCH 2 84 882 (MODSEQ 917162500)`, or `* SORT …`. */
export function writeNumbers(
  out: Encoder,
  word: 'SEARCH' | 'SORT',
  { scope, matches, isUid, usesModSeq }: SearchResult,
): void {
  const ids = isUid ? scope.uids : scope.numbers
  out.ascii(`* ${word}`)
  for (let at = 0; at < matches.length; at++) out.byte(0x20).number(ids[matches[at] as number] as number)
  if (usesModSeq && matches.length > 0)
    out.ascii(' (MODSEQ ').number(highestModSeq(scope, matches)).byte(0x29)
  out.crlf()
}

/** `* ESEARCH (TAG "a1") UID MIN 2 COUNT 10 MODSEQ 917162500`. MIN and MAX are the first and the last in the result's order (RFC 5267 §3.1). */
export function writeEsearch(
  out: Encoder,
  correlator: string,
  { min, max, all, count }: ReturnOptions,
  { scope, matches, isUid, usesModSeq }: SearchResult,
): void {
  const ids = isUid ? scope.uids : scope.numbers
  const idAt = (at: number) => ids[matches[at] as number] as number
  out.ascii(`* ESEARCH ${correlator}`)
  if (isUid) out.ascii(' UID')
  if (matches.length > 0) {
    if (min) out.ascii(' MIN ').number(idAt(0))
    if (max) out.ascii(' MAX ').number(idAt(matches.length - 1))
  }
  if (count) out.ascii(' COUNT ').number(matches.length)
  // RFC 5267 §3.2: a range stands only where the numbers ascend.
  if (all && matches.length > 0) out.ascii(' ALL ').ascii(formatNumbers(idsOf(ids, matches)))
  if (usesModSeq && matches.length > 0) {
    // RFC 4731 §3.2: of the messages that MIN and MAX show, where nothing else is shown.
    const shown = all || count ? matches : shownByMinMax(matches, min, max)
    out.ascii(' MODSEQ ').number(highestModSeq(scope, shown))
  }
  out.crlf()
}

/** What `$` holds, by the other options (RFC 5182 §2.4). */
export function indexesToSave(matches: Uint32Array, { min, max, all, count }: ReturnOptions): Uint32Array {
  if (all || count || !(min || max)) return matches
  return shownByMinMax(matches, min, max)
}

/** The first, the last, or both; one message only once. */
function shownByMinMax(matches: Uint32Array, min: boolean, max: boolean): Uint32Array {
  if (matches.length < 2) return matches
  if (min && max) return Uint32Array.of(matches[0] as number, matches[matches.length - 1] as number)
  return min ? matches.subarray(0, 1) : matches.subarray(-1)
}

export function idsOf(ids: Uint32Array, indexes: Uint32Array): number[] {
  return Array.from(indexes, index => ids[index] as number)
}

function highestModSeq({ modSeqs, positions }: SearchScope, matches: Uint32Array): number {
  let highest = 0
  for (const index of matches) highest = Math.max(highest, modSeqs[positions[index] as number] as number)
  return highest
}
