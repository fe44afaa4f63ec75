// The answers to SEARCH and SORT. RFC 9051 §7.3.4; RFC 3501 §7.2.5; RFC 4731 §3.1; RFC 5256 §4; RFC 5267 §3; RFC 9394; RFC 6203 §4; RFC 7162 §3.1.5, §3.1.6.
import type { Encoder } from '../encoder.ts'
import { partOf } from '../partial-range.ts'
import { formatNumbers } from '../sequence-set.ts'
import type { Session } from '../session.ts'
import type { ReturnOptions } from './arguments.ts'
import type { SearchScope } from './search-scope.ts'

export interface SearchResult {
  readonly scope: SearchScope
  /** Indexes in the scope: ascending for SEARCH, in their order for SORT. */
  readonly matches: Uint32Array
  readonly isUid: boolean
  /** The answer tells the highest modSeq. */
  readonly usesModSeq: boolean
  /** From 1 to 100 by index in the scope, where it was asked for (RFC 6203 §4). */
  readonly relevancy: Uint8Array | undefined
}

/** `* SEARCH 2 84 882 (MODSEQ 917162500)`, or `* SORT …`. */
export function writeNumbers(
  out: Encoder,
  word: 'SEARCH' | 'SORT',
  { scope, matches, isUid, usesModSeq }: SearchResult,
): void {
  const ids = isUid ? scope.uids : scope.numbers
  out.ascii(`* ${word}`)
  out.numbers(ids, matches)
  if (usesModSeq && matches.length > 0)
    out.ascii(' (MODSEQ ').number(highestModSeq(scope, matches)).byte(0x29)
  out.crlf()
}

/** What an ESEARCH response belongs to. */
export interface Correlator {
  readonly tag: string
  /** Where several mailboxes may be searched (RFC 7377 §2.1). */
  readonly mailbox: { readonly name: string; readonly uidValidity: number } | undefined
}

/** `(TAG "a1" MAILBOX folder UIDVALIDITY 1)`. */
export function writeCorrelator(session: Session, { tag, mailbox }: Correlator): void {
  const { out } = session
  out.ascii(`(TAG "${tag}"`)
  if (mailbox) {
    out.ascii(' MAILBOX ')
    session.writeMailbox(mailbox.name)
    out.ascii(' UIDVALIDITY ').number(mailbox.uidValidity)
  }
  out.byte(0x29)
}

/** `* ESEARCH (TAG "a1") UID MIN 2 COUNT 10 MODSEQ 917162500`. MIN and MAX are the first and the last in the result's order (RFC 5267 §3.1). */
export function writeEsearch(
  session: Session,
  correlator: Correlator,
  returns: ReturnOptions,
  { scope, matches, isUid, usesModSeq, relevancy }: SearchResult,
): void {
  const { min, max, all, count, partial } = returns
  const ids = isUid ? scope.uids : scope.numbers
  const idAt = (at: number) => ids[matches[at] as number] as number
  const { out } = session
  out.ascii('* ESEARCH ')
  writeCorrelator(session, correlator)
  if (isUid) out.ascii(' UID')
  if (matches.length > 0) {
    if (min) out.ascii(' MIN ').number(idAt(0))
    if (max) out.ascii(' MAX ').number(idAt(matches.length - 1))
  }
  if (count) out.ascii(' COUNT ').number(matches.length)
  // RFC 5267 §3.2: a range stands only where the numbers ascend.
  if (all && matches.length > 0) out.ascii(' ALL ').ascii(formatNumbers(idsOf(ids, matches)))
  if (partial) {
    const part = partOf(matches, partial)
    out.ascii(` PARTIAL (${partial.text} `)
    out.ascii(part.length > 0 ? formatNumbers(idsOf(ids, part)) : 'NIL').byte(0x29)
  }
  if (returns.relevancy && relevancy && matches.length > 0) {
    const scored = all || count || !partial ? matches : partOf(matches, partial)
    out.ascii(` RELEVANCY (${Array.from(scored, index => relevancy[index]).join(' ')})`)
  }
  if (usesModSeq && matches.length > 0) {
    const shown = shownBy(matches, returns)
    if (shown.length > 0) out.ascii(' MODSEQ ').number(highestModSeq(scope, shown))
  }
  out.crlf()
}

/**
 * The messages that an answer shows; all, where it also counts them or shows nothing. `$` holds these (RFC 5182 §2.4; RFC 9394 §3.2), and they are
 * those whose highest modSeq is told (RFC 4731 §3.2).
 */
export function shownBy(matches: Uint32Array, { min, max, all, count, partial }: ReturnOptions): Uint32Array {
  if (all || count || !(min || max || partial)) return matches
  const shown = new Set(partial ? partOf(matches, partial) : [])
  if (min) for (const first of matches.subarray(0, 1)) shown.add(first)
  if (max) for (const last of matches.subarray(-1)) shown.add(last)
  return Uint32Array.from(shown)
}

export function idsOf(ids: Uint32Array, indexes: Uint32Array): number[] {
  return Array.from(indexes, index => ids[index] as number)
}

function highestModSeq({ modSeqs, positions }: SearchScope, matches: Uint32Array): number {
  let highest = 0
  for (const index of matches) highest = Math.max(highest, modSeqs[positions[index] as number] as number)
  return highest
}
