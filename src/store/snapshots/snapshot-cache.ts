// The snapshots of one thread: loaded once, brought up to date by what changed since, kept while there is room.
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import { StoreError } from '../error.ts'
import type { MailboxSnapshot } from '../mailbox-snapshot.ts'
import { splitKeywords } from '../mutations/intern-keywords.ts'
import type { SaveSnapshot } from '../mutations/save-snapshot.ts'
import type { Connection } from '../sqlite/connection.ts'
import { bytesPerMessage, copyRows, lowerBound, makeColumns, setRow, type SnapshotRow } from './columns.ts'
import { LiveSnapshot, type MailboxState, type RecentHistory, type SnapshotContext } from './live-snapshot.ts'
import {
  chunkChecksum,
  findPackedHeader,
  messagesPerChunk,
  packChunk,
  packHeader,
  unpackChunks,
} from './packing.ts'
import { RecentChanges } from './recent-changes.ts'

const stateColumns = `uid_validity AS "uidValidity", uid_next AS "uidNext", mod_seq AS "modSeq", tombstone_floor AS "tombstoneFloor", total`
const stateSql = `SELECT ${stateColumns} FROM mailbox WHERE account = ? AND id = ?`
const rowColumns = 'uid, flags, mod_seq, size_bytes, received_at, saved_at, email'

/** What is known of a mailbox's packed snapshot. */
interface Packed {
  /** 0 when there is none. */
  readonly modSeq: number
  readonly checksums: readonly number[]
}

interface Entry {
  readonly snapshot: LiveSnapshot
  packed: Packed
  /** Messages that changed since then. */
  drift: number
}

export type SaveSnapshotCall = (args: SaveSnapshot) => Promise<unknown>

/** Chunks in one mutation. */
const chunksPerSave = 64

export class SnapshotCache implements SnapshotContext {
  readonly #connection: Connection
  #save: SaveSnapshotCall | undefined
  /** Mailboxes whose snapshot is being saved. */
  readonly #saving = new Set<string>()
  readonly #snapshots: Lru<string, Entry>
  /** Keyword sets never change, so what was read once stays right. */
  readonly #keywords = new Lru<string, readonly string[]>(limits.store.keywordSets)

  constructor(connection: Connection, maxBytes: number = limits.store.snapshotBytes) {
    this.#connection = connection
    this.#snapshots = new Lru(maxBytes)
  }

  /** Where snapshots that have drifted are kept packed, for the next cold start. */
  packWith(save: SaveSnapshotCall): void {
    this.#save = save
  }

  /** The mailbox as the last commit left it. Throws `no-such-mailbox`. */
  get(account: AccountId, mailbox: MailboxId): MailboxSnapshot {
    const key = `${account}/${mailbox}`
    const known = this.#snapshots.get(key)
    const state = this.#state(account, mailbox)
    if (known && state.modSeq === known.snapshot.modSeq) return known.snapshot
    // What changed is read together with the state that it leads to.
    const entry = this.#connection.consistently(() => {
      const current = this.#state(account, mailbox)
      return (known && this.#update(known, current)) ?? this.#load(account, mailbox, current)
    })
    const { snapshot } = entry
    this.#snapshots.set(key, entry, snapshot.uids.length * bytesPerMessage + 1024)
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

  clear(): void {
    this.#snapshots.clear()
    this.#keywords.clear()
  }

  #state(account: AccountId, mailbox: MailboxId): MailboxState {
    const state = this.#connection.get<MailboxState>(stateSql, account, mailbox)
    if (!state) {
      this.#snapshots.delete(`${account}/${mailbox}`)
      throw new StoreError('no-such-mailbox', 'the mailbox is gone')
    }
    return state
  }

  #load(account: AccountId, mailbox: MailboxId, state: MailboxState): Entry {
    const packed = this.#unpack(account, mailbox, state)
    if (packed.entry) return packed.entry
    const rows = this.#connection.arrays<SnapshotRow>(
      `SELECT ${rowColumns} FROM message WHERE account = ? AND mailbox = ? ORDER BY uid`,
      account,
      mailbox,
    )
    const columns = makeColumns(roomFor(rows.length))
    for (let i = 0; i < rows.length; i++) setRow(columns, i, rows[i] as SnapshotRow)
    const snapshot = new LiveSnapshot(
      this,
      { account, mailbox },
      state,
      rows.length,
      columns,
      newHistory(state.modSeq),
    )
    return { snapshot, packed: { modSeq: packed.modSeq, checksums: [] }, drift: rows.length }
  }

  /** The packed snapshot with what changed since; without an entry when there is none that is whole and recent enough. */
  #unpack(account: AccountId, mailbox: MailboxId, state: MailboxState): { modSeq: number; entry?: Entry } {
    const first = this.#headerRow(account, mailbox)
    if (!first) return { modSeq: 0 }
    const [modSeq, data] = first
    const header = findPackedHeader(data)
    if (!header || header.uidValidity !== state.uidValidity || modSeq > state.modSeq) return { modSeq }
    const chunks = this.#connection.arrays<[data: Uint8Array]>(
      'SELECT data FROM snapshot WHERE account = ? AND mailbox = ? AND chunk > 0 ORDER BY chunk',
      account,
      mailbox,
    )
    const columns = unpackChunks(
      header,
      chunks.map(([chunk]) => chunk),
      roomFor(header.count) - header.count,
    )
    if (!columns) return { modSeq }
    const before = new LiveSnapshot(
      this,
      { account, mailbox },
      { ...state, modSeq },
      header.count,
      columns,
      newHistory(modSeq),
    )
    const packed = { modSeq, checksums: header.checksums }
    const entry = this.#update({ snapshot: before, packed, drift: 0 }, state)
    return entry ? { modSeq, entry } : { modSeq }
  }

  #packIfDrifted(key: string, entry: Entry): void {
    const { count } = entry.snapshot
    if (!this.#save || count < messagesPerChunk || this.#saving.has(key)) return
    if (entry.packed.modSeq > 0 && entry.drift < Math.max(messagesPerChunk / 2, count / 16)) return
    this.#saving.add(key)
    // Not while a session waits for its SELECT.
    setImmediate(() => {
      this.#pack(entry, this.#save as SaveSnapshotCall)
        .catch(() => {
          // The store is closing or the disk is full; the rows are the truth.
        })
        .finally(() => this.#saving.delete(key))
    })
  }

  /**
   * Sends the chunks that differ from what is packed. Flags may change meanwhile: then a chunk is newer than its header says, and
   * applying the changes since to it gives the same.
   */
  async #pack(entry: Entry, save: SaveSnapshotCall): Promise<void> {
    const { snapshot, packed } = entry
    const { account, mailbox, modSeq, uidValidity, count, columns } = snapshot
    const checksums: number[] = []
    const basedOn = packed.modSeq
    const chunkCount = Math.ceil(count / messagesPerChunk)
    let chunks: { chunk: number; data: Uint8Array }[] = []
    for (let chunk = 0; chunk < chunkCount; chunk++) {
      const data = packChunk(columns, chunk, count)
      const checksum = chunkChecksum(data)
      checksums.push(checksum)
      if (packed.checksums[chunk] !== checksum) chunks.push({ chunk, data })
      if (chunks.length === chunksPerSave) {
        await save({ account, mailbox, basedOn, chunks })
        chunks = []
      }
    }
    const data = packHeader({ uidValidity, count, checksums })
    await save({ account, mailbox, basedOn, chunks, header: { modSeq, chunkCount, data } })
    const current = this.#snapshots.get(`${account}/${mailbox}`)
    if (!current) return
    // Another thread may have been quicker, so look at what is there now.
    const row = this.#headerRow(account, mailbox)
    current.packed = { modSeq: row?.[0] ?? 0, checksums: (row && findPackedHeader(row[1])?.checksums) ?? [] }
    current.drift = 0
  }

  #headerRow(
    account: AccountId,
    mailbox: MailboxId,
  ): readonly [modSeq: ModSeq, data: Uint8Array] | undefined {
    const [row] = this.#connection.arrays<[modSeq: ModSeq, data: Uint8Array]>(
      'SELECT mod_seq, data FROM snapshot WHERE account = ? AND mailbox = ? AND chunk = 0',
      account,
      mailbox,
    )
    return row
  }

  /** The next state of a snapshot; undefined when the way there is forgotten. */
  #update(entry: Entry, state: MailboxState): Entry | undefined {
    const before = entry.snapshot
    const { account, mailbox, modSeq, history } = before
    if (state.tombstoneFloor > modSeq || state.uidValidity !== before.uidValidity) return undefined
    const gone = this.#connection.arrays<[uid: number, modSeq: number]>(
      'SELECT uid, mod_seq FROM tombstone WHERE account = ? AND mailbox = ? AND mod_seq > ? ORDER BY mod_seq, uid',
      account,
      mailbox,
      modSeq,
    )
    const changed = this.#connection.arrays<SnapshotRow>(
      `SELECT ${rowColumns} FROM message WHERE account = ? AND mailbox = ? AND mod_seq > ? ORDER BY mod_seq, uid`,
      account,
      mailbox,
      modSeq,
    )
    let { columns, count } = before
    const lastUid = count > 0 ? (columns.uids[count - 1] as number) : 0
    const positions: number[] = []
    for (const [uid] of gone) {
      const position = uid > lastUid ? count : lowerBound(columns.uids, count, uid)
      if (position < count && columns.uids[position] === uid) positions.push(position)
    }
    const added = changed.filter(row => row[0] > lastUid).sort((a, b) => a[0] - b[0])
    // The arrays that were given out keep their UIDs: without the messages that are gone, and where there is no room, there are new ones.
    if (positions.length > 0 || count + added.length > columns.uids.length) {
      const next = makeColumns(roomFor(count - positions.length + added.length))
      count = copyWithout(before, positions, next)
      columns = next
    }
    for (const row of changed) {
      if (row[0] > lastUid) continue
      const position = lowerBound(columns.uids, count, row[0])
      // A UID that was not there before and is not behind the last one: not what this store writes, so begin again.
      if (position >= count || columns.uids[position] !== row[0]) return undefined
      setRow(columns, position, row)
    }
    for (const row of added) setRow(columns, count++, row)
    if (count !== state.total) return undefined
    for (const row of changed) history.changed.add(row[0], row[2])
    for (const [uid, at] of gone) history.vanished.add(uid, at)
    const snapshot = new LiveSnapshot(this, { account, mailbox }, state, count, columns, history)
    return { snapshot, packed: entry.packed, drift: entry.drift + changed.length + gone.length }
  }
}

function newHistory(modSeq: number): RecentHistory {
  return { changed: new RecentChanges(modSeq), vanished: new RecentChanges(modSeq) }
}

/** Room for what arrives next, so that most appends need no new arrays. */
function roomFor(count: number): number {
  return count + Math.max(64, count >>> 4)
}

/** Copies all but the positions given (in any order); the count of what was copied. */
function copyWithout(
  before: LiveSnapshot,
  positions: number[],
  next: ReturnType<typeof makeColumns>,
): number {
  positions.sort((a, b) => a - b)
  let from = 0
  let to = 0
  for (const position of [...positions, before.count]) {
    copyRows(before.columns, from, position, next, to)
    to += position - from
    from = position + 1
  }
  return to
}
