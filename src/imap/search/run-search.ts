// Carries a SEARCH out and writes its answer. RFC 9051 §6.4.4, §7.3.4; RFC 3501 §7.2.5; RFC 4731; RFC 5182 §2; RFC 7162 §3.1.5.
import type { Completion } from '../command.ts'
import { enableCondstore } from '../condstore.ts'
import type { Encoder } from '../encoder.ts'
import { formatNumbers } from '../sequence-set.ts'
import type { Session } from '../session.ts'
import type { ReturnOptions, SearchArgs } from './arguments.ts'
import { findMatches } from './evaluate.ts'
import { openScope, type SearchScope } from './search-scope.ts'

/** What IMAP4rev2 returns when it is not said (RFC 9051 §6.4.4). */
const returnAll: ReturnOptions = { min: false, max: false, all: true, count: false, save: false }

/** Answers SEARCH, or UID SEARCH where `isUid`. */
export async function runSearch(session: Session, args: SearchArgs, isUid: boolean): Promise<Completion> {
  if (!args.returns?.save) return answer(session, args, isUid)
  try {
    return await answer(session, args, isUid)
  } catch (error) {
    // RFC 5182 §2.1: a search that was to be saved and is answered NO leaves nothing saved.
    session.view.save([])
    throw error
  }
}

async function answer(session: Session, args: SearchArgs, isUid: boolean): Promise<Completion> {
  const { view, out } = session
  if (args.refusal) throw args.refusal
  if (args.usesModSeq) enableCondstore(session)
  const scope = await openScope(view, session.context.clock.now())
  const matches = await findMatches(session, scope, args.criterion)
  if (args.returns === undefined && !session.has('IMAP4REV2')) {
    writeSearch(out, scope, matches, isUid, args.usesModSeq)
    return {}
  }
  const returns = args.returns ?? returnAll
  const { min, max, all, count, save } = returns
  if (save) view.save(uidsOf(scope, toSave(matches, returns)))
  if (min || max || all || count) writeEsearch(out, scope, matches, { ...args, returns }, isUid)
  return save ? { text: 'Searched, and the result is saved' } : {}
}

/** RFC 5182 §2.4: what `$` holds with the other options. */
function toSave(matches: Uint32Array, { min, max, all, count }: ReturnOptions): Uint32Array {
  if (all || count || !(min || max)) return matches
  return shownByMinMax(matches, min, max)
}

/** The first, the last, or both; one message only once. */
function shownByMinMax(matches: Uint32Array, min: boolean, max: boolean): Uint32Array {
  if (matches.length < 2) return matches
  if (min && max) return Uint32Array.of(matches[0] as number, matches[matches.length - 1] as number)
  return min ? matches.subarray(0, 1) : matches.subarray(-1)
}

function uidsOf(scope: SearchScope, indexes: Uint32Array): number[] {
  return Array.from(indexes, index => scope.uids[index] as number)
}

/** `* SEARCH 2 84 882 (MODSEQ 917162500)`. */
function writeSearch(
  out: Encoder,
  scope: SearchScope,
  matches: Uint32Array,
  isUid: boolean,
  usesModSeq: boolean,
): void {
  const ids = isUid ? scope.uids : scope.numbers
  out.ascii('* SEARCH')
  for (let at = 0; at < matches.length; at++) out.byte(0x20).number(ids[matches[at] as number] as number)
  if (usesModSeq && matches.length > 0)
    out.ascii(' (MODSEQ ').number(highestModSeq(scope, matches)).byte(0x29)
  out.crlf()
}

/** `* ESEARCH (TAG "a1") UID MIN 2 COUNT 10 MODSEQ 917162500`. */
function writeEsearch(
  out: Encoder,
  scope: SearchScope,
  matches: Uint32Array,
  { tag, returns, usesModSeq }: SearchArgs & { readonly returns: ReturnOptions },
  isUid: boolean,
): void {
  const { min, max, all, count } = returns
  const ids = isUid ? scope.uids : scope.numbers
  const idAt = (at: number) => ids[matches[at] as number] as number
  out.ascii(`* ESEARCH (TAG "${tag}")`)
  if (isUid) out.ascii(' UID')
  if (matches.length > 0) {
    if (min) out.ascii(' MIN ').number(idAt(0))
    if (max) out.ascii(' MAX ').number(idAt(matches.length - 1))
  }
  if (count) out.ascii(' COUNT ').number(matches.length)
  if (all && matches.length > 0)
    out.ascii(' ALL ').ascii(formatNumbers(Uint32Array.from(matches, at => ids[at] as number)))
  if (usesModSeq && matches.length > 0) {
    // RFC 4731 §3.2: of the messages that MIN and MAX show, where nothing else is shown.
    const shown = all || count ? matches : shownByMinMax(matches, min, max)
    out.ascii(' MODSEQ ').number(highestModSeq(scope, shown))
  }
  out.crlf()
}

function highestModSeq({ modSeqs, positions }: SearchScope, matches: Uint32Array): number {
  let highest = 0
  for (const index of matches) highest = Math.max(highest, modSeqs[positions[index] as number] as number)
  return highest
}
