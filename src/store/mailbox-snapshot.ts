// The picture of one mailbox that all sessions of a thread share: columns of numbers in the order of UIDs.
import type { Awaitable } from '../base/awaitable.ts'
import type { Breathe } from '../base/breathe.ts'
import type { AccountId, EmailId, MailboxId, ModSeq, Uid, UidValidity } from '../base/ids.ts'

/** What changed in a mailbox after some modSeq. */
export interface MailboxDelta {
  /** False when some expunges since then are forgotten (`tombstoneFloor`): compare UIDs instead of trusting `vanished`. */
  readonly isComplete: boolean
  /** The state this delta leads to. */
  readonly modSeq: ModSeq
  /** Expunged messages, by UID ascending, each with the modSeq of its expunge. */
  readonly vanished: readonly { readonly uid: Uid; readonly modSeq: ModSeq }[]
  /** Positions of messages that are new or whose flags changed, ascending. */
  readonly changed: readonly number[]
}

/** A number of each message, by its position from 0. */
export interface SnapshotColumn {
  /** Throws RangeError where no message is at the position. */
  at(position: number): number
  /** Puts those of the positions `[from, to)` into `target`, from `at` (or 0) on. */
  copy(from: number, to: number, target: Uint32Array | Float64Array, at?: number): void
}

/** Its values never change. */
export interface EmailColumn extends SnapshotColumn {
  /** The first `count`, for who goes through all; not to be written to. */
  upTo(count: number, breathe: Breathe): Awaitable<Float64Array>
}

/** Its values never change. */
export interface UidColumn extends SnapshotColumn {
  /** The first `count`, for who goes through all; not to be written to. */
  upTo(count: number): Uint32Array
  /** The first position below `count` whose UID is not below `uid`; `count` when there is none. */
  lowerBound(uid: number, count: number): number
}

/** The system flags of the messages from a position up to another. */
export interface FlagsAround {
  /** Those that at least one has, or has had. */
  readonly some: number
  /** Those that each one has. */
  readonly every: number
  /** The position behind them. */
  readonly until: number
}

/**
 * `count` messages, each at a position of every column; positions ascend with UIDs. The columns may have more, which are not of this state.
 * `refresh` (by `Store.snapshot`) never alters the positions below `count` of a `uids` that it gave out: appended messages go
 * behind, and an expunge makes another one. So a session may keep `uids` with its own count as what it told its client.
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
  readonly uids: UidColumn
  /** System bits, and the keyword set's number from bit 8 (`flags.ts`). */
  readonly flags: SnapshotColumn
  readonly modSeqs: SnapshotColumn
  readonly sizes: SnapshotColumn
  /** INTERNALDATE, milliseconds since 1970. */
  readonly receivedAts: SnapshotColumn
  /** SAVEDATE, milliseconds since 1970. */
  readonly savedAts: SnapshotColumn
  readonly emails: EmailColumn
  /** The position of the first message without \Seen, -1 when there is none. */
  readonly firstUnseen: number
  /** The keywords that messages have, sorted. */
  readonly keywords: readonly string[]
  /** The keywords of a set, sorted; empty for set 0. */
  keywordsOf(flags: number): readonly string[]
  /** What is known of the flags of the message at a position and of those behind it, so that who looks for a flag can pass over many at once. */
  flagsAround(position: number): FlagsAround
  /** The position of a UID, or -1. */
  positionOf(uid: number): number
  /** The position of the first UID that is not below `uid`; `count` when there is none. */
  lowerBound(uid: number): number
  /** Throws RangeError where no message is at the position. */
  emailAt(position: number): EmailId
  /** What changed after `modSeq`, up to this snapshot's state. Without a promise where the back-end needs none. */
  changesAfter(modSeq: ModSeq): Awaitable<MailboxDelta>
  /** `changed` of it alone, for those who do not ask for expunges. */
  changedAfter(modSeq: ModSeq): readonly number[]
}
