// FETCH modifiers: CHANGEDSINCE, VANISHED and PARTIAL. RFC 4466 §2.4; RFC 7162 §3.1.4.1, §3.2.6; RFC 9394 §3.3.
import type { ParseContext } from '../command.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { parsePartialRange, type PartialRange } from '../partial-range.ts'

export interface FetchModifiers {
  /** Only messages whose modSeq is larger. */
  readonly changedSince: number | undefined
  /** Tell of expunged messages too. */
  readonly vanished: boolean
  /** Only these of the messages that the set names; CHANGEDSINCE is about what is left (RFC 9394 §3.4). */
  readonly partial: PartialRange | undefined
}

/** Reads ` (modifier …)` if it is there. */
export function parseFetchModifiers(parser: Parser, { uid, session }: ParseContext): FetchModifiers {
  let changedSince: number | undefined
  let vanished = false
  let partial: PartialRange | undefined
  if (parser.moreAfterSpace()) {
    parser.list(() => {
      const name = parser.keyword()
      if (name === 'CHANGEDSINCE' && changedSince === undefined) {
        parser.sp()
        changedSince = parser.number64()
      } else if (name === 'VANISHED' && !vanished) vanished = true
      else if (name === 'PARTIAL' && partial === undefined) {
        parser.sp()
        partial = parsePartialRange(parser)
      } else throw bad('there is no such FETCH modifier, or it stands twice')
    })
  }
  if (vanished) {
    // RFC 7162 §3.2.6.
    if (!uid) throw bad('VANISHED is for UID FETCH')
    if (!session.has('QRESYNC')) throw bad('VANISHED needs ENABLE QRESYNC')
    if (changedSince === undefined) throw bad('VANISHED needs CHANGEDSINCE')
  }
  // RFC 9394 §3.3.
  if (partial !== undefined && !uid) throw bad('PARTIAL is for UID FETCH')
  return { changedSince, vanished, partial }
}
