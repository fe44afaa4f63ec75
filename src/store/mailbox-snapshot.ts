// The picture of one mailbox that all sessions of a thread share: typed arrays in the order of UIDs.
import type { Awaitable } from '../base/awaitable.ts'
import type { AccountId, EmailId, MailboxId, ModSeq, Uid, UidValidity } from '../base/ids.ts'

/** What changed in a mailbox after some modSeq. */
export interface MailboxDelta {
  /** False when some expunges since then are forgotten (`tombstoneFloor`): compare UIDs instead of trusting `vanished`. */
  readonly isComplete: boolean
  /** The state this delta leads to. */
  readonly modSeq: ModSeq
  /** Expunged messages, by UID ascending, each with the modSeq of its expunge. */
  readonly vanished: readonly { readonly uid: Uid; readonly modSeq: ModSeq }[]
  /** Positions (in the snapshot's arrays) of messages that are new or whose flags changed, ascending. */
  readonly changed: readonly number[]
}

/**
 * `count` messages, position `i` of each array is one message, positions ascend with UIDs. The arrays may be longer than `count`.
 * `refresh` (by `Store.snapshot`) never alters the positions below `count` of a `uids` array it gave out: appended messages go
 * behind, and an expunge makes new arrays. So a session may keep `uids` with its own count as what it told its client.
 */
export interface MailboxSnapshot {
  readonly account: AccountId
  readonly mailbox: MailboxId
  readonly uidValidity: UidValidity
  readonly uidNext: number
  readonly modSeq: ModSeq
  /** Expunges at or below this modSeq are forgotten, so a client that asks from before it gets no complete answer from `vanished`. */
  readonly tombstoneFloor: ModSeq
  readonly count: number
  /**
   * Reads what has not been read yet of a large mailbox, bit by bit, so that who asks for the arrays then holds up nobody; undefined where all is there, or
   * what is missing is quick. Counts, UIDs, `firstUnseen` and `keywords` need none of it.
   */
  prepare(): Promise<void> | undefined
  readonly uids: Uint32Array
  /** System bits, and the keyword set's number from bit 8 (`flags.ts`). */
  readonly flags: Uint32Array
  readonly modSeqs: Float64Array
  readonly sizes: Float64Array
  /** INTERNALDATE, milliseconds since 1970. */
  readonly receivedAts: Float64Array
  /** SAVEDATE, milliseconds since 1970. */
  readonly savedAts: Float64Array
  readonly emails: Float64Array
  /** The position of the first message without \Seen, -1 when there is none. */
  readonly firstUnseen: number
  /** The keywords that messages have, sorted. */
  readonly keywords: readonly string[]
  /** The keywords of a set, sorted; empty for set 0. */
  keywordsOf(flags: number): readonly string[]
  /** The position of a UID, or -1. */
  positionOf(uid: number): number
  /** The position of the first UID that is not below `uid`; `count` when there is none. */
  lowerBound(uid: number): number
  emailAt(position: number): EmailId
  /** What changed after `modSeq`, up to this snapshot's state. Without a promise where the back-end needs none. */
  changesAfter(modSeq: ModSeq): Awaitable<MailboxDelta>
  /** `changed` of it alone, for those who do not ask for expunges. */
  changedAfter(modSeq: ModSeq): readonly number[]
}
