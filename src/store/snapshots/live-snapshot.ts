// One state of one mailbox over messages that its neighbours in time share.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, EmailId, MailboxId, ModSeq, Uid, UidValidity } from '../../base/ids.ts'
import { keywordShift } from '../flags.ts'
import type {
  EmailColumn,
  FlagsAround,
  MailboxDelta,
  MailboxSnapshot,
  SnapshotColumn,
  UidColumn,
} from '../mailbox-snapshot.ts'
import type { MessageList } from './message-list.ts'
import type { RecentChanges } from './recent-changes.ts'

/** What a snapshot asks of the store that made it. */
export interface SnapshotContext {
  keywords(account: AccountId, set: number): readonly string[]
  /** Expunges after one modSeq up to another, by UID, and the floor at or below which they are forgotten. */
  tombstones(account: AccountId, mailbox: MailboxId, after: number, upTo: number): Awaitable<Tombstones>
}

export type Tombstone = readonly [uid: Uid, modSeq: ModSeq]

export interface Tombstones {
  /** Infinity when the mailbox is gone. */
  readonly floor: number
  readonly rows: readonly Tombstone[]
}

/** The row of the mailbox. */
export interface MailboxState {
  readonly uidValidity: UidValidity
  readonly uidNext: number
  readonly modSeq: ModSeq
  readonly tombstoneFloor: ModSeq
  /** Changes at or below this modSeq are forgotten. */
  readonly changeFloor: ModSeq
  readonly total: number
}

/** What a snapshot keeps of it. */
export type SnapshotState = Pick<MailboxState, 'uidValidity' | 'uidNext' | 'modSeq' | 'tombstoneFloor'>

/** What is told of all messages at once. */
export interface Survey {
  /** The position of the first message without \Seen, -1 when there is none. */
  readonly firstUnseen: number
  /** The numbers of the keyword sets in use, but for the empty one. */
  readonly keywordSets: readonly number[]
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
  readonly history: RecentHistory
  readonly list: MessageList
  readonly #context: SnapshotContext
  // Found when they are asked for, once for each state: every session that selects the mailbox asks.
  #survey: Survey | undefined
  #keywords: readonly string[] | undefined

  constructor(
    context: SnapshotContext,
    key: { readonly account: AccountId; readonly mailbox: MailboxId },
    state: SnapshotState,
    count: number,
    list: MessageList,
    history: RecentHistory,
    survey?: Survey,
  ) {
    this.#context = context
    this.account = key.account
    this.mailbox = key.mailbox
    this.uidValidity = state.uidValidity
    this.uidNext = state.uidNext
    this.modSeq = state.modSeq
    this.tombstoneFloor = state.tombstoneFloor
    this.count = count
    this.list = list
    this.history = history
    this.#survey = survey
  }

  get uids(): UidColumn {
    return this.list.uids
  }

  get flags(): SnapshotColumn {
    return this.list.flags
  }

  get modSeqs(): SnapshotColumn {
    return this.list.modSeqs
  }

  get sizes(): SnapshotColumn {
    return this.list.sizes
  }

  get receivedAts(): SnapshotColumn {
    return this.list.receivedAts
  }

  get savedAts(): SnapshotColumn {
    return this.list.savedAts
  }

  get emails(): EmailColumn {
    return this.list.emails
  }

  get firstUnseen(): number {
    return this.survey.firstUnseen
  }

  get keywords(): readonly string[] {
    return (this.#keywords ??= this.#findKeywords())
  }

  get survey(): Survey {
    return (this.#survey ??= this.#lookAtAll())
  }

  flagsAround(position: number): FlagsAround {
    const { list, count } = this
    const number = list.chunkAt(position)
    const start = list.start(number)
    const until = Math.min(list.start(number + 1), count)
    const summary = list.chunk(number)?.summary(until - start)
    return { some: summary?.some ?? 0, every: summary?.every ?? 0, until }
  }

  keywordsOf(flags: number): readonly string[] {
    const set = flags >>> keywordShift
    return set === 0 ? noKeywords : this.#context.keywords(this.account, set)
  }

  positionOf(uid: number): number {
    return this.list.find(uid, this.count)
  }

  lowerBound(uid: number): number {
    return this.list.lowerBound(uid, this.count)
  }

  emailAt(position: number): EmailId {
    if (position >= this.count) throw new RangeError('no message at this position')
    return this.emails.at(position) as EmailId
  }

  changesAfter(modSeq: ModSeq): Awaitable<MailboxDelta> {
    if (modSeq >= this.modSeq) return { modSeq: this.modSeq, isComplete: true, vanished: [], changed: [] }
    const { vanished } = this.history
    if (modSeq >= vanished.floor) return this.#deltaOf(modSeq, true, this.#vanishedAfter(modSeq))
    const told = this.#context.tombstones(this.account, this.mailbox, modSeq, this.modSeq)
    return told instanceof Promise
      ? told.then(tombstones => this.#deltaOfTombstones(modSeq, tombstones))
      : this.#deltaOfTombstones(modSeq, told)
  }

  changedAfter(modSeq: ModSeq): readonly number[] {
    if (modSeq >= this.modSeq) return []
    const { changed } = this.history
    if (modSeq < changed.floor || changed.countAfter(modSeq) * passesPerLook > this.count)
      return this.#lookForChanged(modSeq)
    const seen = new Set<number>()
    for (const [uid] of changed.after(modSeq)) {
      const position = this.positionOf(uid)
      if (position >= 0) seen.add(position)
    }
    return [...seen].sort((a, b) => a - b)
  }

  /** Goes by all messages but for those in chunks where nothing has changed. */
  #lookForChanged(modSeq: ModSeq): readonly number[] {
    const positions: number[] = []
    for (const { chunk, from, to, position } of this.list.pieces(0, this.count)) {
      if (chunk.summary(to).modSeq <= modSeq) continue
      const { modSeqs } = chunk.columns
      for (let index = from; index < to; index++)
        if ((modSeqs[index] as number) > modSeq) positions.push(position + index)
    }
    return positions
  }

  #lookAtAll(): Survey {
    let firstUnseen = -1
    const keywordSets = new Set<number>()
    for (const { chunk, to, position } of this.list.pieces(0, this.count)) {
      const summary = chunk.summary(to)
      if (firstUnseen < 0 && summary.firstUnseen >= 0 && summary.firstUnseen < to)
        firstUnseen = position + summary.firstUnseen
      for (const set of summary.keywordSets) keywordSets.add(set)
    }
    return { firstUnseen, keywordSets: [...keywordSets] }
  }

  #findKeywords(): readonly string[] {
    const names = new Set<string>()
    for (const set of this.survey.keywordSets) {
      for (const name of this.keywordsOf(set << keywordShift)) names.add(name)
    }
    return [...names].sort()
  }

  #deltaOf(modSeq: ModSeq, isComplete: boolean, vanished: MailboxDelta['vanished']): MailboxDelta {
    return { modSeq: this.modSeq, changed: this.changedAfter(modSeq), isComplete, vanished }
  }

  #deltaOfTombstones(modSeq: ModSeq, { floor, rows }: Tombstones): MailboxDelta {
    const vanished = rows.map(([uid, at]) => ({ uid, modSeq: at }))
    return this.#deltaOf(modSeq, floor <= modSeq, vanished)
  }

  #vanishedAfter(modSeq: number): MailboxDelta['vanished'] {
    const rows: { uid: Uid; modSeq: ModSeq }[] = []
    for (const [uid, at] of this.history.vanished.after(modSeq)) {
      if (at <= this.modSeq) rows.push({ uid: uid as Uid, modSeq: at as ModSeq })
    }
    return rows.sort((a, b) => a.uid - b.uid)
  }
}

/** Messages that a pass over all goes by in the time in which one is looked for. */
const passesPerLook = 32

const noKeywords: readonly string[] = []
