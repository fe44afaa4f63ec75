// One state of one mailbox over arrays that its neighbours in time share.
import type { AccountId, EmailId, MailboxId, ModSeq, Uid, UidValidity } from '../../base/ids.ts'
import type { MailboxDelta, MailboxSnapshot } from '../mailbox-snapshot.ts'
import { lowerBound, type SnapshotColumns } from './columns.ts'
import type { RecentChanges } from './recent-changes.ts'

/** What a snapshot asks of the store that made it. */
export interface SnapshotContext {
  keywords(account: AccountId, set: number): readonly string[]
  /** Expunges after one modSeq up to another, by UID, and the floor at or below which they are forgotten. */
  tombstones(
    account: AccountId,
    mailbox: MailboxId,
    after: number,
    upTo: number,
  ): { readonly floor: number; readonly rows: readonly (readonly [uid: Uid, modSeq: ModSeq])[] }
}

/** The row of the mailbox. */
export interface MailboxState {
  readonly uidValidity: UidValidity
  readonly uidNext: number
  readonly modSeq: ModSeq
  readonly tombstoneFloor: ModSeq
  readonly total: number
}

export interface RecentHistory {
  readonly changed: RecentChanges
  readonly vanished: RecentChanges
}

export class LiveSnapshot implements MailboxSnapshot {
  readonly account: AccountId
  readonly mailbox: MailboxId
  readonly uidValidity: UidValidity
  readonly uidNext: number
  readonly modSeq: ModSeq
  readonly tombstoneFloor: ModSeq
  readonly count: number
  readonly columns: SnapshotColumns
  readonly history: RecentHistory
  readonly #context: SnapshotContext

  constructor(
    context: SnapshotContext,
    key: { readonly account: AccountId; readonly mailbox: MailboxId },
    state: MailboxState,
    count: number,
    columns: SnapshotColumns,
    history: RecentHistory,
  ) {
    this.#context = context
    this.account = key.account
    this.mailbox = key.mailbox
    this.uidValidity = state.uidValidity
    this.uidNext = state.uidNext
    this.modSeq = state.modSeq
    this.tombstoneFloor = state.tombstoneFloor
    this.count = count
    this.columns = columns
    this.history = history
  }

  get uids(): Uint32Array {
    return this.columns.uids
  }

  get flags(): Uint32Array {
    return this.columns.flags
  }

  get modSeqs(): Float64Array {
    return this.columns.modSeqs
  }

  get sizes(): Float64Array {
    return this.columns.sizes
  }

  get receivedAts(): Float64Array {
    return this.columns.receivedAts
  }

  get savedAts(): Float64Array {
    return this.columns.savedAts
  }

  get emails(): Float64Array {
    return this.columns.emails
  }

  keywordsOf(flags: number): readonly string[] {
    return flags < 256 ? noKeywords : this.#context.keywords(this.account, flags >>> 8)
  }

  positionOf(uid: number): number {
    const position = lowerBound(this.columns.uids, this.count, uid)
    return position < this.count && this.columns.uids[position] === uid ? position : -1
  }

  lowerBound(uid: number): number {
    return lowerBound(this.columns.uids, this.count, uid)
  }

  emailAt(position: number): EmailId {
    const email = this.columns.emails[position]
    if (email === undefined || position >= this.count) throw new RangeError('no message at this position')
    return email as EmailId
  }

  changesAfter(modSeq: ModSeq): MailboxDelta {
    if (modSeq >= this.modSeq) return { modSeq: this.modSeq, isComplete: true, vanished: [], changed: [] }
    return { modSeq: this.modSeq, changed: this.#changedAfter(modSeq), ...this.#vanishedAfter(modSeq) }
  }

  #changedAfter(modSeq: number): readonly number[] {
    const { modSeqs } = this.columns
    const { changed } = this.history
    const positions: number[] = []
    if (modSeq < changed.floor) {
      for (let i = 0; i < this.count; i++) if ((modSeqs[i] as number) > modSeq) positions.push(i)
      return positions
    }
    const seen = new Set<number>()
    for (const [uid] of changed.after(modSeq)) {
      const position = this.positionOf(uid)
      if (position >= 0) seen.add(position)
    }
    return [...seen].sort((a, b) => a - b)
  }

  #vanishedAfter(modSeq: number): Pick<MailboxDelta, 'isComplete' | 'vanished'> {
    const { vanished } = this.history
    if (modSeq >= vanished.floor) {
      const rows: { uid: Uid; modSeq: ModSeq }[] = []
      for (const [uid, at] of vanished.after(modSeq)) {
        if (at <= this.modSeq) rows.push({ uid: uid as Uid, modSeq: at as ModSeq })
      }
      return { isComplete: true, vanished: rows.sort((a, b) => a.uid - b.uid) }
    }
    const { floor, rows } = this.#context.tombstones(this.account, this.mailbox, modSeq, this.modSeq)
    return { isComplete: floor <= modSeq, vanished: rows.map(([uid, at]) => ({ uid, modSeq: at })) }
  }
}

const noKeywords: readonly string[] = []
