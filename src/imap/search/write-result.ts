// The answers to SEARCH and SORT. RFC 9051 §7.3.4; RFC 3501 §7.2.5; RFC 4731 §3.1; RFC 5256 §4; RFC 5267 §3; RFC 9394; RFC 6203 §4; RFC 7162 §3.1.5, §3.1.6.
import { type Breathe, inStretches, valuesAt } from '../../base/breathe.ts'
import { breathingSort } from '../../base/breathing-sort.ts'
import { breatheIn, writeInPieces } from '../breaths.ts'
import type { Encoder } from '../encoder.ts'
import { partOf } from '../partial-range.ts'
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
export async function writeNumbers(
  session: Session,
  word: 'SEARCH' | 'SORT',
  { scope, matches, isUid, usesModSeq }: SearchResult,
): Promise<void> {
  const ids = isUid ? scope.uids : scope.numbers
  const { out } = session
  await writeInPieces(session, async breathe => {
    out.ascii(`* ${word}`)
    await inStretches(matches.length, breathe, (from, to) => out.numbers(ids, matches.subarray(from, to)))
    if (usesModSeq && matches.length > 0)
      out
        .ascii(' (MODSEQ ')
        .number(await highestModSeq(scope, matches, breathe))
        .byte(0x29)
    out.crlf()
  })
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
export async function writeEsearch(
  session: Session,
  correlator: Correlator,
  returns: ReturnOptions,
  { scope, matches, isUid, usesModSeq, relevancy }: SearchResult,
): Promise<void> {
  const { min, max, all, count, partial } = returns
  const ids = isUid ? scope.uids : scope.numbers
  const idAt = (at: number) => ids[matches[at] as number] as number
  const { out } = session
  await writeInPieces(session, async breathe => {
    out.ascii('* ESEARCH ')
    writeCorrelator(session, correlator)
    if (isUid) out.ascii(' UID')
    if (matches.length > 0) {
      if (min) out.ascii(' MIN ').number(idAt(0))
      if (max) out.ascii(' MAX ').number(idAt(matches.length - 1))
    }
    if (count) out.ascii(' COUNT ').number(matches.length)
    if (all && matches.length > 0) await writeSet(out.ascii(' ALL '), ids, matches, breathe)
    if (partial) {
      const part = partOf(matches, partial)
      out.ascii(` PARTIAL (${partial.text} `)
      if (part.length > 0) await writeSet(out, ids, part, breathe)
      else out.ascii('NIL')
      out.byte(0x29)
    }
    if (returns.relevancy && relevancy && matches.length > 0) {
      const scored = all || count || !partial ? matches : partOf(matches, partial)
      await writeRelevancy(out, relevancy, scored, breathe)
    }
    const shown = usesModSeq ? shownBy(matches, returns) : noMatches
    if (shown.length > 0) out.ascii(' MODSEQ ').number(await highestModSeq(scope, shown, breathe))
    out.crlf()
  })
}

const noMatches = new Uint32Array(0)

/** `1:3,7`: a range only where the numbers ascend (RFC 5267 §3.2). */
async function writeSet(
  out: Encoder,
  ids: Uint32Array,
  indexes: Uint32Array,
  breathe: Breathe,
): Promise<void> {
  let first = ids[indexes[0] as number] as number
  let last = first
  const writeRange = () => {
    out.number(first)
    if (last > first) out.byte(0x3a).number(last)
  }
  await inStretches(indexes.length, breathe, (from, to) => {
    for (let at = Math.max(from, 1); at < to; at++) {
      const id = ids[indexes[at] as number] as number
      if (id !== last + 1) {
        writeRange()
        out.byte(0x2c)
        first = id
      }
      last = id
    }
  })
  writeRange()
}

/** ` RELEVANCY (4 99 42)`. */
async function writeRelevancy(
  out: Encoder,
  relevancy: Uint8Array,
  indexes: Uint32Array,
  breathe: Breathe,
): Promise<void> {
  out.ascii(' RELEVANCY (')
  await inStretches(indexes.length, breathe, (from, to) => {
    for (let at = from; at < to; at++) {
      if (at > 0) out.byte(0x20)
      out.number(relevancy[indexes[at] as number] as number)
    }
  })
  out.byte(0x29)
}

/**
 * The messages that an answer shows; all, where it also counts them or shows nothing. `$` holds these (RFC 5182 §2.4; RFC 9394 §3.2), and they are
 * those whose highest modSeq is told (RFC 4731 §3.2).
 */
function shownBy(matches: Uint32Array, { min, max, all, count, partial }: ReturnOptions): Uint32Array {
  if (all || count || !(min || max || partial)) return matches
  const shown = new Set(partial ? partOf(matches, partial) : [])
  if (min) for (const first of matches.subarray(0, 1)) shown.add(first)
  if (max) for (const last of matches.subarray(-1)) shown.add(last)
  return Uint32Array.from(shown)
}

/** The UIDs of what an answer shows, ascending: `$` is a set, so the order of a SORT is not in it. */
export async function uidsToSave(
  session: Session,
  { scope, matches }: SearchResult,
  returns: ReturnOptions,
): Promise<Uint32Array> {
  const breathe = () => breatheIn(session)
  const uids = await valuesAt(scope.uids, shownBy(matches, returns), breathe)
  await breathingSort(uids, (a, b) => a - b, breathe)
  return uids
}

async function highestModSeq(
  { snapshot: { modSeqs }, positions }: SearchScope,
  matches: Uint32Array,
  breathe: Breathe,
): Promise<number> {
  let highest = 0
  await inStretches(matches.length, breathe, (from, to) => {
    for (let at = from; at < to; at++)
      highest = Math.max(highest, modSeqs.at(positions[matches[at] as number] as number))
  })
  return highest
}
