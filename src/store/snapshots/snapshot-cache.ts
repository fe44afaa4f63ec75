// The snapshots of one thread: loaded once, brought up to date by what changed since, kept while there is room.
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import { StoreError } from '../error.ts'
import type { MailboxSnapshot } from '../mailbox-snapshot.ts'
import { splitKeywords } from '../mutations/intern-keywords.ts'
import type { Connection } from '../sqlite/connection.ts'
import { bytesPerMessage, copyRows, lowerBound, makeColumns, setRow, type SnapshotRow } from './columns.ts'
import { LiveSnapshot, type MailboxState, type SnapshotContext } from './live-snapshot.ts'
import { RecentChanges } from './recent-changes.ts'

const stateColumns = `uid_validity AS "uidValidity", uid_next AS "uidNext", mod_seq AS "modSeq", tombstone_floor AS "tombstoneFloor", total`
const stateSql = `SELECT ${stateColumns} FROM mailbox WHERE account = ? AND id = ?`
const rowColumns = 'uid, flags, mod_seq, size_bytes, received_at, saved_at, email'

export class SnapshotCache implements SnapshotContext {
  readonly #connection: Connection
  readonly #snapshots: Lru<string, LiveSnapshot>
  /** Keyword sets never change, so what was read once stays right. */
  readonly #keywords = new Lru<string, readonly string[]>(limits.store.keywordSets)

  constructor(connection: Connection, maxBytes: number = limits.store.snapshotBytes) {
    this.#connection = connection
    this.#snapshots = new Lru(maxBytes)
  }

  /** The mailbox as the last commit left it. Throws `no-such-mailbox`. */
  get(account: AccountId, mailbox: MailboxId): MailboxSnapshot {
    const key = `${account}/${mailbox}`
    const known = this.#snapshots.get(key)
    const state = this.#state(account, mailbox)
    if (known && state.modSeq === known.modSeq) return known
    // What changed is read together with the state that it leads to.
    const snapshot = this.#connection.consistently(() => {
      const current = this.#state(account, mailbox)
      return (known && this.#update(known, current)) ?? this.#load(account, mailbox, current)
    })
    this.#snapshots.set(key, snapshot, snapshot.uids.length * bytesPerMessage + 1024)
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

  #load(account: AccountId, mailbox: MailboxId, state: MailboxState): LiveSnapshot {
    const rows = this.#connection.arrays<SnapshotRow>(
      `SELECT ${rowColumns} FROM message WHERE account = ? AND mailbox = ? ORDER BY uid`,
      account,
      mailbox,
    )
    const columns = makeColumns(roomFor(rows.length))
    for (let i = 0; i < rows.length; i++) setRow(columns, i, rows[i] as SnapshotRow)
    const history = { changed: new RecentChanges(state.modSeq), vanished: new RecentChanges(state.modSeq) }
    return new LiveSnapshot(this, { account, mailbox }, state, rows.length, columns, history)
  }

  /** The next state of a snapshot; undefined when the way there is forgotten. */
  #update(before: LiveSnapshot, state: MailboxState): LiveSnapshot | undefined {
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
    return new LiveSnapshot(this, { account, mailbox }, state, count, columns, history)
  }
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
