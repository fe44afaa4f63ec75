// One state of one mailbox over arrays that its neighbours in time share.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, EmailId, MailboxId, ModSeq, Uid, UidValidity } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { keywordShift, seen } from '../flags.ts'
import type { MailboxDelta, MailboxSnapshot } from '../mailbox-snapshot.ts'
import { lowerBound, type SnapshotColumns } from './columns.ts'
import type { Survey } from './packing.ts'
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

/** Columns that are made when somebody asks for them. */
export interface LazyColumns {
  /** What the state's UIDs were, whatever has changed meanwhile. The same array each time. */
  uids(): Uint32Array
  /** All of them, with `uids` among them. What the store has changed meanwhile may show, as it does in the arrays that states share. */
  load(): SnapshotColumns
  /** The same while others run in between; undefined where there is too little for that. */
  loadSlowly?(): Promise<SnapshotColumns>
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
  readonly #context: SnapshotContext
  #columns: SnapshotColumns | LazyColumns
  #loading: Promise<void> | undefined
  // Found when they are asked for, once for each state: every session that selects the mailbox asks.
  #survey: Survey | undefined
  #keywords: readonly string[] | undefined

  constructor(
    context: SnapshotContext,
    key: { readonly account: AccountId; readonly mailbox: MailboxId },
    state: SnapshotState,
    count: number,
    columns: SnapshotColumns | LazyColumns,
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
    this.#columns = columns
    this.#survey = survey
    this.history = history
  }

  /** Whether all columns are there. */
  get isPrepared(): boolean {
    return !('load' in this.#columns)
  }

  prepare(): Promise<void> | undefined {
    if (!('load' in this.#columns)) return undefined
    this.#loading ??= this.#columns.loadSlowly?.().then(columns => {
      if ('load' in this.#columns) this.#columns = columns
    })
    return this.#loading
  }

  get columns(): SnapshotColumns {
    if ('load' in this.#columns) this.#columns = this.#columns.load()
    return this.#columns
  }

  get uids(): Uint32Array {
    return 'load' in this.#columns ? this.#columns.uids() : this.#columns.uids
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

  get firstUnseen(): number {
    return this.survey.firstUnseen
  }

  get keywords(): readonly string[] {
    return (this.#keywords ??= this.#findKeywords())
  }

  get survey(): Survey {
    return (this.#survey ??= surveyOf(this.columns.flags, this.count))
  }

  /** Finds the survey of a large mailbox while others run in between. Nobody may change its flags meanwhile. */
  async surveySlowly(): Promise<void> {
    this.#survey ??= await surveySlowly(this.columns.flags, this.count)
  }

  keywordsOf(flags: number): readonly string[] {
    const set = flags >>> keywordShift
    return set === 0 ? noKeywords : this.#context.keywords(this.account, set)
  }

  positionOf(uid: number): number {
    const position = lowerBound(this.uids, this.count, uid)
    return position < this.count && this.uids[position] === uid ? position : -1
  }

  lowerBound(uid: number): number {
    return lowerBound(this.uids, this.count, uid)
  }

  emailAt(position: number): EmailId {
    const email = this.columns.emails[position]
    if (email === undefined || position >= this.count) throw new RangeError('no message at this position')
    return email as EmailId
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
    const { modSeqs } = this.columns
    const { changed } = this.history
    const positions: number[] = []
    if (modSeq < changed.floor || changed.countAfter(modSeq) * passesPerLook > this.count) {
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

interface Found {
  firstUnseen: number
  readonly keywordSets: Set<number>
}

function surveyOf(flags: Uint32Array, count: number): Survey {
  const found: Found = { firstUnseen: -1, keywordSets: new Set() }
  lookAt(flags, 0, count, found)
  return { ...found, keywordSets: [...found.keywordSets] }
}

async function surveySlowly(flags: Uint32Array, count: number): Promise<Survey> {
  const found: Found = { firstUnseen: -1, keywordSets: new Set() }
  const { messagesAtOnce } = limits.store
  for (let from = 0; from < count; from += messagesAtOnce) {
    lookAt(flags, from, Math.min(from + messagesAtOnce, count), found)
    await new Promise(setImmediate)
  }
  return { ...found, keywordSets: [...found.keywordSets] }
}

function lookAt(flags: Uint32Array, from: number, to: number, found: Found): void {
  if (found.firstUnseen < 0) found.firstUnseen = findUnseen(flags, from, to)
  let last = 0
  for (let at = from; at < to; at++) {
    const set = (flags[at] as number) >>> keywordShift
    if (set === last) continue
    last = set
    if (set !== 0) found.keywordSets.add(set)
  }
}

function findUnseen(flags: Uint32Array, from: number, to: number): number {
  for (let at = from; at < to; at++) if (((flags[at] as number) & seen) === 0) return at
  return -1
}
