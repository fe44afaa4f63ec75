// The snapshots of one thread over SQLite: loaded once, brought up to date by what changed since, kept while there is room.
import type { AccountId, MailboxId, ModSeq, Uid, UidValidity } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import { StoreError } from '../error.ts'
import type { AccountCounts } from '../account-counts.ts'
import type { MailboxSnapshot } from '../mailbox-snapshot.ts'
import { splitKeywords } from '../mutations/intern-keywords.ts'
import type { Connection } from '../sqlite/connection.ts'
import {
  applyChanges,
  canFollow,
  changedByMasks,
  columnsOfRows,
  entryBytes,
  type ChangedRow,
  type GoneRow,
  hasDrifted,
  lastUidOf,
  type MaskRow,
  type PackedRow,
  type SnapshotEntry,
  type SnapshotKey,
  snapshotOfChunks,
  snapshotOfHeader,
  snapshotOfRows,
  usableHeader,
} from './build-snapshot.ts'
import type { SnapshotColumns, SnapshotRow } from './columns.ts'
import type { MailboxState, SnapshotContext } from './live-snapshot.ts'
import { packSnapshot, type SaveSnapshotCall } from './pack-snapshot.ts'
import { findPackedHeader, type PackedHeader, unpackChunks } from './packing.ts'

const stateSql =
  'SELECT uid_validity, uid_next, mod_seq, tombstone_floor, change_floor, total FROM mailbox WHERE account = ? AND id = ?'

type StateColumns = readonly [
  uidValidity: UidValidity,
  uidNext: number,
  modSeq: ModSeq,
  tombstoneFloor: ModSeq,
  changeFloor: ModSeq,
  total: number,
]

const rowColumns = 'uid, flags, mod_seq, size_bytes, received_at, saved_at, email'

/** How often an account had changed, by whose count. */
interface Counted {
  readonly by: AccountCounts
  readonly changes: number
}

export class SnapshotCache implements SnapshotContext {
  readonly #connection: Connection
  readonly #changes: () => AccountCounts | undefined
  #save: SaveSnapshotCall | undefined
  /** Mailboxes whose snapshot is to be packed soon, and those whose is being saved. */
  readonly #toPack = new Map<string, NodeJS.Timeout>()
  readonly #saving = new Set<string>()
  readonly #snapshots: Lru<string, SnapshotEntry>
  readonly #counted = new WeakMap<SnapshotEntry, Counted>()
  /** Keyword sets never change, so what was read once stays right. */
  readonly #keywords = new Lru<string, readonly string[]>(limits.store.keywordSets)

  /** `changes` gives, while it is known, the counter of commits that changed each account. */
  constructor(
    connection: Connection,
    maxBytes: number = limits.store.snapshotBytes,
    changes: () => AccountCounts | undefined = () => undefined,
  ) {
    this.#connection = connection
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
  get(account: AccountId, mailbox: MailboxId, atLeast = Infinity): MailboxSnapshot {
    const key = `${account}/${mailbox}`
    const known = this.#snapshots.get(key)
    if (known && known.snapshot.modSeq >= atLeast) return known.snapshot
    // Counted before it is read: what is committed meanwhile is looked for again.
    const by = this.#changes()
    const counted = by && { by, changes: by.of(account) }
    const before = known && this.#counted.get(known)
    if (known && before && before.by === by && before.changes === counted?.changes) return known.snapshot
    // What changed is read together with the state that it leads to.
    const entry = this.#connection.consistently(() => {
      const state = this.#state(account, mailbox)
      if (known && state.modSeq === known.snapshot.modSeq) return known
      return (
        (known && this.#update(known, state, messagesSince(known, state))) ??
        this.#load(account, mailbox, state)
      )
    })
    if (counted) this.#counted.set(entry, counted)
    const { snapshot } = entry
    if (entry === known) return snapshot
    this.#snapshots.set(key, entry, entryBytes(entry))
    this.#packIfDrifted(key, entry)
    return snapshot
  }

  keywords(account: AccountId, set: number): readonly string[] {
    const key = `${account}/${set}`
    const known = this.#keywords.get(key)
    if (known) return known
    const row = this.#connection.get<{ keywords: string }>(
      'SELECT keywords FROM keyword_set WHERE account = ? AND id = ?',
      account,
      set,
    )
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
    return this.#connection.consistently(() => {
      const floor = this.#connection.get<{ tombstone_floor: number }>(
        'SELECT tombstone_floor FROM mailbox WHERE account = ? AND id = ?',
        account,
        mailbox,
      )
      const rows = this.#connection.arrays<[uid: Uid, modSeq: ModSeq]>(
        'SELECT uid, mod_seq FROM tombstone WHERE account = ? AND mailbox = ? AND mod_seq > ? AND mod_seq <= ? ORDER BY uid',
        account,
        mailbox,
        after,
        upTo,
      )
      // A mailbox that is gone has no tombstones left.
      return { floor: floor?.tombstone_floor ?? Number.POSITIVE_INFINITY, rows }
    })
  }

  /** The mailbox is gone. */
  forget({ account, mailbox }: SnapshotKey): void {
    this.#snapshots.delete(`${account}/${mailbox}`)
  }

  clear(): void {
    this.#snapshots.clear()
    this.#keywords.clear()
  }

  #state(account: AccountId, mailbox: MailboxId): MailboxState {
    const [row] = this.#connection.arrays<StateColumns>(stateSql, account, mailbox)
    if (!row) {
      this.#snapshots.delete(`${account}/${mailbox}`)
      throw new StoreError('no-such-mailbox', 'the mailbox is gone')
    }
    const [uidValidity, uidNext, modSeq, tombstoneFloor, changeFloor, total] = row
    return { uidValidity, uidNext, modSeq, tombstoneFloor, changeFloor, total }
  }

  #load(account: AccountId, mailbox: MailboxId, state: MailboxState): SnapshotEntry {
    const header = this.#headerRow(account, mailbox)
    const packed = header && this.#unpack(account, mailbox, state, header)
    if (packed) return packed
    return snapshotOfRows(this, { account, mailbox }, state, this.#rows(account, mailbox), header?.[0] ?? 0)
  }

  /** The packed snapshot with what changed since; undefined when there is none that is whole and recent enough. */
  #unpack(
    account: AccountId,
    mailbox: MailboxId,
    state: MailboxState,
    row: PackedRow,
  ): SnapshotEntry | undefined {
    const header = usableHeader(row, state)
    if (!header) return undefined
    const key = { account, mailbox }
    if (row[0] === state.modSeq) {
      return snapshotOfHeader(this, key, state, header, uids => this.#loadColumns(key, header, uids))
    }
    const before = snapshotOfChunks(this, key, state, row[0], header, this.#chunks(key))
    return before && this.#update(before, state, 'other')
  }

  #loadColumns({ account, mailbox }: SnapshotKey, header: PackedHeader, uids: Uint32Array): SnapshotColumns {
    // Chunks that were packed anew meanwhile do not fit the header.
    const columns = unpackChunks(header, this.#chunks({ account, mailbox }), uids)
    return columns ?? columnsOfRows(uids, header.count, this.#rows(account, mailbox))
  }

  #chunks({ account, mailbox }: SnapshotKey): readonly Uint8Array[] {
    const rows = this.#connection.arrays<[data: Uint8Array]>(
      'SELECT data FROM snapshot WHERE account = ? AND mailbox = ? AND chunk > 0 ORDER BY chunk',
      account,
      mailbox,
    )
    return rows.map(([data]) => data)
  }

  #rows(account: AccountId, mailbox: MailboxId): readonly SnapshotRow[] {
    return this.#connection.arrays<SnapshotRow>(
      `SELECT ${rowColumns} FROM message WHERE account = ? AND mailbox = ? ORDER BY uid`,
      account,
      mailbox,
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
      const row = this.#headerRow(entry.snapshot.account, entry.snapshot.mailbox)
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

  #headerRow(account: AccountId, mailbox: MailboxId): PackedRow | undefined {
    const [row] = this.#connection.arrays<PackedRow>(
      'SELECT mod_seq, data FROM snapshot WHERE account = ? AND mailbox = ? AND chunk = 0',
      account,
      mailbox,
    )
    return row
  }

  /** The next state of a snapshot; undefined when the way there is forgotten. */
  #update(entry: SnapshotEntry, state: MailboxState, messages: 'same' | 'other'): SnapshotEntry | undefined {
    if (!canFollow(entry, state)) return undefined
    const { account, mailbox, modSeq } = entry.snapshot
    const lastUid = lastUidOf(entry)
    const changedBut = (gone: readonly GoneRow[]) =>
      changedByMasks(entry, this.#masks(entry.snapshot), gone) ?? this.#changed(entry, lastUid)
    if (messages === 'same') return applyChanges(this, entry, state, [], changedBut([]), [])
    const gone = this.#connection.arrays<GoneRow>(
      'SELECT uid, mod_seq FROM tombstone WHERE account = ? AND mailbox = ? AND mod_seq > ? ORDER BY mod_seq, uid',
      account,
      mailbox,
      modSeq,
    )
    const added = this.#connection.arrays<SnapshotRow>(
      `SELECT ${rowColumns} FROM message WHERE account = ? AND mailbox = ? AND uid > ? ORDER BY uid`,
      account,
      mailbox,
      lastUid,
    )
    return applyChanges(this, entry, state, gone, changedBut(gone), added)
  }

  #masks({ account, mailbox, modSeq }: MailboxSnapshot): readonly MaskRow[] {
    return this.#connection.arrays<MaskRow>(
      `SELECT mod_seq, first_uid, last_uid, clears, adds FROM message_change
       WHERE account = ? AND mailbox = ? AND mod_seq > ? ORDER BY mod_seq, first_uid`,
      account,
      mailbox,
      modSeq,
    )
  }

  #changed({ snapshot }: SnapshotEntry, lastUid: number): readonly ChangedRow[] {
    const { account, mailbox, modSeq } = snapshot
    // In the order of the ranges' modSeqs, and each message in the range that changed it last. So ordered SQLite need not sort.
    return this.#connection.arrays<ChangedRow>(
      `SELECT m.uid, m.flags, m.mod_seq FROM message_change c CROSS JOIN message m
       WHERE c.account = ? AND c.mailbox = ? AND c.mod_seq > ? AND m.account = c.account AND m.mailbox = c.mailbox
         AND m.uid BETWEEN c.first_uid AND c.last_uid AND m.uid <= ? AND m.mod_seq = c.mod_seq ORDER BY c.mod_seq, c.first_uid, m.uid`,
      account,
      mailbox,
      modSeq,
      lastUid,
    )
  }
}

/** Whether messages came or went since a state that was read from the rows: each one that comes takes a UID, and without that none can make up for one that goes. */
function messagesSince({ snapshot }: SnapshotEntry, { uidNext, total }: MailboxState): 'same' | 'other' {
  return snapshot.uidNext === uidNext && snapshot.count === total ? 'same' : 'other'
}
