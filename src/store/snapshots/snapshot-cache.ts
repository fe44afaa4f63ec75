// The snapshots of one thread over SQLite: loaded once, brought up to date by what changed since, kept while there is room.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
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
  canFollow,
  changedByMasks,
  columnsOfRows,
  copyForNext,
  entryBytes,
  hasDrifted,
  isLarge,
  lastUidOf,
  needsCopy,
  type PackedRow,
  type SnapshotEntry,
  type SnapshotKey,
  snapshotOfColumns,
  snapshotOfHeader,
  snapshotOfRows,
  snapshotOfSlices,
  uidsOfHeader,
  usableHeader,
} from './build-snapshot.ts'
import type { SnapshotColumns } from './columns.ts'
import type { MailboxState, SnapshotContext } from './live-snapshot.ts'
import { packSnapshot, type SaveSnapshotCall } from './pack-snapshot.ts'
import { findPackedHeader, type PackedHeader, unpackChunks, unpackSlowly } from './packing.ts'
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
  /** Large mailboxes that are being read, or copied: they are not brought up to date meanwhile. */
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

  /** The mailbox as the last commit left it, or as it was at `atLeast` or later. Throws `no-such-mailbox`. */
  get(account: AccountId, mailbox: MailboxId, atLeast = Infinity): Awaitable<MailboxSnapshot> {
    const place = { account, mailbox }
    const key = keyOf(place)
    const known = this.#snapshots.get(key)
    if (known && known.snapshot.modSeq >= atLeast) return known.snapshot
    const counted = known && this.#counted.get(known)
    const by = this.#changes()
    if (known && by && counted?.by === by && counted.changes === by.of(account)) return known.snapshot
    const pending = known ? this.#prepareToFollow(key, place, known) : this.#loadSlowly(key, place)
    // Whoever waited for the same has brought it up to date before.
    if (pending) return pending.then(() => this.#refresh(key, place, this.#snapshots.get(key)))
    return this.#refresh(key, place, known)
  }

  /**
   * A change of flags that this thread has just committed, in a transaction of its own that is counted in `changes`: where it leads from what is known, no
   * row need be read. Where it does not, `get` looks for what came between.
   */
  follow(place: SnapshotKey, mask: FlagMask, { follows, modSeq, changed }: StoredFlags): void {
    const key = keyOf(place)
    const known = this.#snapshots.get(key)
    if (this.#loading.has(key) || !known?.snapshot.isPrepared || known.snapshot.modSeq !== follows) return
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
  #refresh(key: string, place: SnapshotKey, known: SnapshotEntry | undefined): MailboxSnapshot {
    // Counted before it is read: what is committed meanwhile is looked for again.
    const by = this.#changes()
    const counted = by && { by, changes: by.of(place.account) }
    // What changed is read together with the state that it leads to.
    const entry = this.#rows.consistently(() => {
      const state = this.#state(place)
      if (known && state.modSeq === known.snapshot.modSeq) return known
      return (known && this.#update(known, state, messagesSince(known, state))) ?? this.#load(place, state)
    })
    if (counted) this.#counted.set(entry, counted)
    this.#keep(key, entry)
    return entry.snapshot
  }

  #keep(key: string, entry: SnapshotEntry): void {
    this.#snapshots.set(key, entry, entryBytes(entry))
    this.#packIfDrifted(key, entry)
  }

  /** A change of a large mailbox is laid over its columns, which may not have been read yet, or over a copy of them. */
  #prepareToFollow(key: string, place: SnapshotKey, entry: SnapshotEntry): Promise<void> | undefined {
    const { snapshot } = entry
    if (snapshot.isPrepared && !isLarge(snapshot.count)) return undefined
    const running = this.#loading.get(key)
    if (running) return running
    const state = this.#state(place)
    if (state.modSeq === snapshot.modSeq) return undefined
    if (!snapshot.isPrepared) return snapshot.prepare()
    const hasGone = () => this.#rows.gone(snapshot, snapshot.modSeq).length > 0
    if (messagesSince(entry, state) === 'same' || !needsCopy(entry, state.total, hasGone)) return undefined
    const copying = copyForNext(entry, state.total).finally(() => this.#loading.delete(key))
    this.#loading.set(key, copying)
    return copying
  }

  /**
   * Reads a large mailbox of which nothing is known, while others run in between. Undefined where it takes little, or where the header of the packed form
   * is enough.
   */
  #loadSlowly(key: string, place: SnapshotKey): Promise<void> | undefined {
    const running = this.#loading.get(key)
    if (running) return running
    const state = this.#state(place)
    if (!isLarge(state.total)) return undefined
    const row = this.#rows.header(place)
    const header = row && usableHeader(row, state)
    if (row?.[0] === state.modSeq && header) return undefined
    const loading = this.#loadBase(place, state, row, header)
      .then(entry => {
        // Until now nobody was given its columns.
        entry.copy = entry.snapshot.columns
        this.#refresh(key, place, entry)
        delete entry.copy
      })
      .finally(() => this.#loading.delete(key))
    this.#loading.set(key, loading)
    return loading
  }

  async #loadBase(
    place: SnapshotKey,
    state: MailboxState,
    row: PackedRow | undefined,
    header: PackedHeader | undefined,
  ): Promise<SnapshotEntry> {
    const uids = header && uidsOfHeader(header)
    const columns = header && uids && (await this.#unpackSlowly(place, header, uids))
    if (row && header && columns) return snapshotOfColumns(this, place, state, row[0], header, columns)
    const { rowsAtOnce } = limits.store
    const read = (after: number) => this.#rows.messagesBetween(place, after, state.uidNext, rowsAtOnce)
    return snapshotOfSlices(this, place, state, read, row?.[0] ?? 0)
  }

  #unpackSlowly(
    place: SnapshotKey,
    header: PackedHeader,
    uids: Uint32Array,
  ): Promise<SnapshotColumns | undefined> {
    return unpackSlowly(header, (first, count) => this.#rows.chunks(place, first, count), uids)
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

  tombstones(
    account: AccountId,
    mailbox: MailboxId,
    after: number,
    upTo: number,
  ): { floor: number; rows: readonly (readonly [uid: Uid, modSeq: ModSeq])[] } {
    return this.#rows.tombstones({ account, mailbox }, after, upTo)
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

  #load(place: SnapshotKey, state: MailboxState): SnapshotEntry {
    const header = this.#rows.header(place)
    const packed = header && this.#unpack(place, state, header)
    return packed ?? snapshotOfRows(this, place, state, this.#rows.messages(place), header?.[0] ?? 0)
  }

  /** The packed snapshot with what changed since; undefined when there is none that is whole and recent enough. */
  #unpack(place: SnapshotKey, state: MailboxState, row: PackedRow): SnapshotEntry | undefined {
    const header = usableHeader(row, state)
    if (!header) return undefined
    if (row[0] === state.modSeq) return this.#lazy(place, state, header)
    const uids = uidsOfHeader(header)
    const columns = uids && unpackChunks(header, this.#rows.chunks(place), uids)
    if (!columns) return undefined
    return this.#update(snapshotOfColumns(this, place, state, row[0], header, columns), state, 'other')
  }

  #lazy(place: SnapshotKey, state: MailboxState, header: PackedHeader): SnapshotEntry | undefined {
    // Chunks that were packed anew meanwhile do not fit the header.
    const fromRows = (uids: Uint32Array) => columnsOfRows(uids, header.count, this.#rows.messages(place))
    return snapshotOfHeader(
      this,
      place,
      state,
      header,
      uids => unpackChunks(header, this.#rows.chunks(place), uids) ?? fromRows(uids),
      async uids => (await this.#unpackSlowly(place, header, uids)) ?? fromRows(uids),
    )
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
      const row = this.#rows.header(entry.snapshot)
      current.packed = {
        modSeq: row?.[0] ?? 0,
        checksums: (row && findPackedHeader(row[1])?.checksums) ?? [],
      }
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
    const gone = this.#rows.gone(snapshot, modSeq)
    const added = this.#rows.messages(snapshot, lastUid)
    return applyChanges(this, entry, state, gone, changedByMasks(entry, masks, gone) ?? changed(), added)
  }
}

function keyOf({ account, mailbox }: SnapshotKey): string {
  return `${account}/${mailbox}`
}

/** Whether messages came or went since a state that was read from the rows: each one that comes takes a UID, and without that none can make up for one that goes. */
function messagesSince({ snapshot }: SnapshotEntry, { uidNext, total }: MailboxState): 'same' | 'other' {
  return snapshot.uidNext === uidNext && snapshot.count === total ? 'same' : 'other'
}
