// The snapshots of one thread over SQLite: loaded once, brought up to date by what changed since, kept while there is room.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, MailboxId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import { StoreError } from '../error.ts'
import type { AccountCounts } from '../account-counts.ts'
import type { FlagMask } from '../flags.ts'
import type { MailboxSnapshot } from '../mailbox-snapshot.ts'
import { splitKeywords } from '../mutations/intern-keywords.ts'
import type { StoredFlags } from '../mutations/store-flags.ts'
import type { Connection } from '../sqlite/connection.ts'
import {
  applyChanges,
  applyMasks,
  applyMasksSlowly,
  canFollow,
  changedByMasks,
  columnsOfRows,
  entryBytes,
  goneUpTo,
  hasDrifted,
  isLarge,
  keyOf,
  lastUidOf,
  maskedCount,
  packedOf,
  type SnapshotEntry,
  type SnapshotKey,
  snapshotOfHeader,
  snapshotOfRows,
  snapshotOfSlices,
  usableHeader,
} from './build-snapshot.ts'
import { continueDraft, needsDraft } from './draft.ts'
import type { LiveSnapshot, MailboxState, SnapshotContext, Tombstone, Tombstones } from './live-snapshot.ts'
import { packSnapshot, type SaveSnapshotCall } from './pack-snapshot.ts'
import { soundChunk } from './packing.ts'
import { SnapshotRows } from './snapshot-rows.ts'

/** How often an account had changed, by whose count. */
interface Counted {
  readonly by: AccountCounts
  readonly changes: number
}

export class SnapshotCache implements SnapshotContext {
  readonly #rows: SnapshotRows
  readonly #changes: () => AccountCounts | undefined
  #save: SaveSnapshotCall | undefined
  /** Mailboxes whose snapshot is to be packed soon, and those whose is being saved. */
  readonly #toPack = new Map<string, NodeJS.Timeout>()
  readonly #saving = new Set<string>()
  readonly #snapshots: Lru<string, SnapshotEntry>
  /** Large mailboxes that are being read, or of which much has changed: they are not brought up to date meanwhile. */
  readonly #loading = new Map<string, Promise<void>>()
  readonly #counted = new WeakMap<SnapshotEntry, Counted>()
  /** Keyword sets never change, so what was read once stays right. */
  readonly #keywords = new Lru<string, readonly string[]>(limits.store.keywordSets)

  /** `changes` gives, while it is known, the counter of commits that changed each account. */
  constructor(
    connection: Connection,
    maxBytes: number = limits.store.snapshotBytes,
    changes: () => AccountCounts | undefined = () => undefined,
  ) {
    this.#rows = new SnapshotRows(connection)
    this.#changes = changes
    this.#snapshots = new Lru(maxBytes)
  }

  /** Where snapshots that have drifted are kept packed, for the next cold start. */
  packWith(save: SaveSnapshotCall): void {
    this.#save = save
  }

  /** Packs now what has drifted: the store closes. */
  async packAll(): Promise<void> {
    await Promise.all(Array.from(this.#toPack.keys(), key => this.#pack(key)))
  }

  /** Packs a mailbox as it is now, and remembers nothing of it; one that is known here is packed as it drifts. Throws `no-such-mailbox`. */
  async packAhead(account: AccountId, mailbox: MailboxId): Promise<void> {
    const key = keyOf({ account, mailbox })
    if (!this.#save || this.#snapshots.get(key) || this.#loading.has(key)) return
    await this.get(account, mailbox)
    await this.#pack(key)
    this.#snapshots.delete(key)
  }

  /** The mailbox as the last commit left it, or as it was at `atLeast` or later. Throws `no-such-mailbox`. */
  get(account: AccountId, mailbox: MailboxId, atLeast = Infinity): Awaitable<MailboxSnapshot> {
    const place = { account, mailbox }
    const key = keyOf(place)
    const known = this.#snapshots.get(key)
    if (known && known.snapshot.modSeq >= atLeast) return known.snapshot
    const counted = known && this.#counted.get(known)
    const by = this.#changes()
    if (known && by && counted?.by === by && counted.changes === by.of(account)) return known.snapshot
    const pending = this.#loading.get(key)
    if (pending) return this.#refreshAfter(key, place, pending)
    const entry = this.#read(account, () => {
      const state = this.#state(place)
      const base = this.#base(place, known, state)
      return this.#takesLong(place, base, state) ? undefined : this.#next(place, base, state)
    })
    if (entry) return this.#keep(key, entry)
    return this.#refreshAfter(key, place, this.#followSlowly(key, place, known))
  }

  /**
   * A change of flags that this thread has just committed, in a transaction of its own that is counted in `changes`: where it leads from what is known, no
   * row need be read. Where it does not, `get` looks for what came between.
   */
  follow(place: SnapshotKey, mask: FlagMask, { follows, modSeq, changed }: StoredFlags): void {
    const key = keyOf(place)
    const known = this.#snapshots.get(key)
    if (this.#loading.has(key) || !known || known.snapshot.modSeq !== follows) return
    const { uidValidity, uidNext, tombstoneFloor } = known.snapshot
    const { clears, adds } = mask
    const masks = changed.map(([first, last]) => [modSeq, first, last, clears, adds] as const)
    const entry = applyMasks(this, known, { uidValidity, uidNext, tombstoneFloor, modSeq }, masks)
    if (!entry) return
    const counted = this.#counted.get(known)
    const by = this.#changes()
    const changes = by?.of(place.account)
    // The change itself is counted. Where another is, that is looked for. (The counter wraps around.)
    if (by && counted?.by === by && changes === ((counted.changes + 1) | 0))
      this.#counted.set(entry, { by, changes })
    this.#keep(key, entry)
  }

  /** Brings what is known to what the last commit left. */
  #refresh(key: string, place: SnapshotKey, known: SnapshotEntry | undefined): LiveSnapshot {
    const entry = this.#read(place.account, () => {
      const state = this.#state(place)
      return this.#next(place, this.#base(place, known, state), state)
    })
    return this.#keep(key, entry)
  }

  /** Whoever waited for the same has brought it up to date before. */
  async #refreshAfter(key: string, place: SnapshotKey, pending: Promise<void>): Promise<LiveSnapshot> {
    await pending
    return this.#refresh(key, place, this.#snapshots.get(key))
  }

  /** What changed is read together with the state that it leads to. */
  #read<Entry extends SnapshotEntry | undefined>(account: AccountId, read: () => Entry): Entry {
    // Counted before it is read: what is committed meanwhile is looked for again.
    const by = this.#changes()
    const changes = by?.of(account)
    const entry = this.#rows.consistently(read)
    if (entry && by && changes !== undefined) this.#counted.set(entry, { by, changes })
    return entry
  }

  #next(place: SnapshotKey, known: SnapshotEntry | undefined, state: MailboxState): SnapshotEntry {
    if (known && state.modSeq === known.snapshot.modSeq) return known
    const next = known && this.#update(known, state, messagesSince(known, state))
    return next ?? snapshotOfRows(this, place, state, this.#rows.messages(place), this.#packedModSeq(place))
  }

  /** What leads to `state`: what is known, else the mailbox as it was packed. */
  #base(
    place: SnapshotKey,
    known: SnapshotEntry | undefined,
    state: MailboxState,
  ): SnapshotEntry | undefined {
    const leads = known && (known.snapshot.modSeq === state.modSeq || canFollow(known, state))
    return leads ? known : this.#unpack(place, state)
  }

  /** Whether to go over to `state` at once would hold up others for long. */
  #takesLong(place: SnapshotKey, known: SnapshotEntry | undefined, state: MailboxState): boolean {
    if (known?.snapshot.modSeq === state.modSeq) return false
    if (!known) return isLarge(state.total)
    return (
      needsDraft(known, state) ||
      (isLarge(state.total) &&
        messagesSince(known, state) === 'same' &&
        isLarge(maskedCount(known, this.#rows.masks(place, known.snapshot.modSeq))))
    )
  }

  #keep(key: string, entry: SnapshotEntry): LiveSnapshot {
    // From now on its messages are given out.
    if (entry.draft) delete entry.draft
    this.#snapshots.set(key, entry, entryBytes(entry))
    this.#packIfDrifted(key, entry)
    return entry.snapshot
  }

  /** Where much has changed, or a large mailbox of which nothing is known must be read from its rows. */
  #followSlowly(key: string, place: SnapshotKey, known: SnapshotEntry | undefined): Promise<void> {
    return this.#alone(key, async () => {
      const state = this.#state(place)
      const entry = this.#base(place, known, state) ?? (await this.#loadSlowly(place, state))
      await this.#draw(place, entry)
      const laid = await this.#layMasks(place, entry)
      // The state before has what is in the columns now behind its own modSeq.
      if (laid) this.#keep(key, laid)
      this.#refresh(key, place, laid ?? entry)
    })
  }

  #loadSlowly(place: SnapshotKey, state: MailboxState): Promise<SnapshotEntry> {
    const slices = this.#rows.messageSlices(place, 0, state.uidNext)
    return snapshotOfSlices(this, place, state, slices, this.#packedModSeq(place))
  }

  /** Nobody else brings the mailbox up to date meanwhile. */
  #alone(key: string, work: () => Promise<void>): Promise<void> {
    const running = work().finally(() => this.#loading.delete(key))
    this.#loading.set(key, running)
    return running
  }

  /** Leads the entry's draft so near to what the last commit left that the rest takes little. */
  async #draw(place: SnapshotKey, entry: SnapshotEntry): Promise<void> {
    for (;;) {
      const state = this.#state(place)
      const isThere = state.modSeq === goneUpTo(entry)
      if (isThere || !canFollow(entry, state) || !needsDraft(entry, state)) return
      const gone = this.#rows.goneSlices(place, goneUpTo(entry), state.modSeq)
      const added = this.#rows.messageSlices(place, lastUidOf(entry), state.uidNext)
      entry.draft = await continueDraft(entry, state, gone, added)
    }
  }

  /** The state that masks lead to, where nothing else has changed. */
  async #layMasks(place: SnapshotKey, entry: SnapshotEntry): Promise<SnapshotEntry | undefined> {
    if (entry.draft) return undefined
    const { state, masks } = this.#rows.consistently(() => ({
      state: this.#state(place),
      masks: this.#rows.masks(place, entry.snapshot.modSeq),
    }))
    const isAlone = canFollow(entry, state) && messagesSince(entry, state) === 'same'
    return isAlone ? applyMasksSlowly(this, entry, state, masks) : undefined
  }

  keywords(account: AccountId, set: number): readonly string[] {
    const key = `${account}/${set}`
    const known = this.#keywords.get(key)
    if (known) return known
    const row = this.#rows.keywords(account, set)
    const keywords = splitKeywords(row?.keywords ?? '')
    if (row) this.#keywords.set(key, keywords)
    return keywords
  }

  tombstones(account: AccountId, mailbox: MailboxId, after: number, upTo: number): Awaitable<Tombstones> {
    const place = { account, mailbox }
    const slices = this.#rows.goneSlices(place, after, upTo)
    const first = slices.next().value ?? []
    return first.length < limits.store.rowsAtOnce
      ? this.#tombstonesOf(place, first)
      : this.#tombstonesSlowly(place, first, slices)
  }

  async #tombstonesSlowly(
    place: SnapshotKey,
    first: readonly Tombstone[],
    slices: Iterable<readonly Tombstone[]>,
  ): Promise<Tombstones> {
    const gone = [...first]
    for (const rows of slices) {
      for (const row of rows) gone.push(row)
      await new Promise(setImmediate)
    }
    return this.#tombstonesOf(place, gone)
  }

  /** With the floor, which is read behind them: below it some may have been forgotten already. */
  #tombstonesOf(place: SnapshotKey, gone: readonly Tombstone[]): Tombstones {
    return { floor: this.#rows.tombstoneFloor(place), rows: gone.toSorted((a, b) => a[0] - b[0]) }
  }

  /** The mailbox is gone. */
  forget(place: SnapshotKey): void {
    this.#snapshots.delete(keyOf(place))
  }

  clear(): void {
    this.#snapshots.clear()
    this.#keywords.clear()
  }

  #state(place: SnapshotKey): MailboxState {
    const state = this.#rows.state(place)
    if (state) return state
    this.#snapshots.delete(keyOf(place))
    throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  }

  /** The modSeq of a packed form that does not lead to the state, 0 where there is none. */
  #packedModSeq(place: SnapshotKey): number {
    return this.#rows.header(place)?.[0] ?? 0
  }

  /** The mailbox as it was packed, where what changed since leads to `state`. */
  #unpack(place: SnapshotKey, state: MailboxState): SnapshotEntry | undefined {
    const row = this.#rows.header(place)
    const header = row && usableHeader(row, state)
    if (!header) return undefined
    // A chunk that was packed anew meanwhile does not fit the header, and one may be damaged.
    const find = (chunk: number, uids: Uint32Array) =>
      soundChunk(header, chunk, this.#rows.chunk(place, chunk)) ??
      columnsOfRows(
        uids,
        this.#rows.messagesBetween(place, uids[0] as number, uids[uids.length - 1] as number),
      )
    return snapshotOfHeader(this, place, state, row[0], header, find)
  }

  /** Some time later: who changes many flags changes more of them soon. */
  #packIfDrifted(key: string, entry: SnapshotEntry): void {
    if (!this.#save || this.#toPack.has(key) || this.#saving.has(key) || !hasDrifted(entry)) return
    this.#toPack.set(key, setTimeout(() => void this.#pack(key), limits.store.packMs).unref())
  }

  async #pack(key: string): Promise<void> {
    clearTimeout(this.#toPack.get(key))
    this.#toPack.delete(key)
    const entry = this.#snapshots.get(key)
    if (!this.#save || !entry) return
    this.#saving.add(key)
    try {
      await packSnapshot(entry, this.#save)
      const current = this.#snapshots.get(key)
      if (!current) return
      // Another thread may have been quicker, so look at what is there now.
      current.packed = packedOf(this.#rows.header(entry.snapshot))
      current.drift = 0
    } catch {
      // The store is closing or the disk is full; the rows are the truth.
    } finally {
      this.#saving.delete(key)
    }
  }

  /** The next state of a snapshot; undefined when the way there is forgotten. */
  #update(entry: SnapshotEntry, state: MailboxState, messages: 'same' | 'other'): SnapshotEntry | undefined {
    if (!canFollow(entry, state)) return undefined
    const { snapshot } = entry
    const { modSeq } = snapshot
    const lastUid = lastUidOf(entry)
    const masks = this.#rows.masks(snapshot, modSeq)
    const changed = () => this.#rows.changed(snapshot, modSeq, lastUid)
    if (messages === 'same')
      return applyMasks(this, entry, state, masks) ?? applyChanges(this, entry, state, [], changed(), [])
    const gone = this.#rows.gone(snapshot, goneUpTo(entry))
    const added = this.#rows.messages(snapshot, lastUid)
    return applyChanges(this, entry, state, gone, changedByMasks(entry, masks, gone) ?? changed(), added)
  }
}

/** Whether messages came or went since a state that was read from the rows: each one that comes takes a UID, and without that none can make up for one that goes. */
function messagesSince(entry: SnapshotEntry, { uidNext, total }: MailboxState): 'same' | 'other' {
  const { snapshot, total: before = snapshot.count } = entry
  return snapshot.uidNext === uidNext && before === total ? 'same' : 'other'
}
