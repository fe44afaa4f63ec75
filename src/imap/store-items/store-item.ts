// What STORE can change beside flags: a row of its table. RFC 9051 §6.4.6; RFC 4466 §2.5 (store-att-flags).
import type { ModSeq } from '../../base/ids.ts'
import type { Answer, Completion, ParseContext } from '../command.ts'
import type { Parser } from '../input/parser.ts'
import type { SequenceSet } from '../sequence-set.ts'
import type { Session } from '../session.ts'

export type StoreMode = 'add' | 'remove' | 'replace'

/** Which messages, and how to answer. */
export interface StoreRequest {
  readonly set: SequenceSet
  readonly mode: StoreMode
  readonly isSilent: boolean
  readonly unchangedSince: ModSeq | undefined
}

/** Changes the messages and tells of them, in two steps where one change of the store does it. Refusals are thrown. */
export type StoreAction =
  | { readonly kind: 'begin'; begin(session: Session, request: StoreRequest, isUid: boolean): Answer }
  | {
      readonly kind: 'run'
      run(session: Session, request: StoreRequest, isUid: boolean): Promise<Completion>
    }

export interface StoreItem {
  /** In upper case, without `+`, `-` and `.SILENT`. */
  readonly name: string
  /** Takes neither `+` nor `-` nor `.SILENT`. */
  readonly isPlain?: true
  /** Reads the values. Throws BAD. */
  parse(parser: Parser, context: ParseContext): StoreAction
}
