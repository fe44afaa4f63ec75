// What snapshots are made of, as SQLite has it.
import type { AccountId, ModSeq, UidValidity } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { maxUid } from '../mutations/uid-limit.ts'
import type { Connection } from '../sqlite/connection.ts'
import type { ChangedRow, GoneRow, MaskRow, PackedRow, SnapshotKey } from './build-snapshot.ts'
import type { SnapshotRow } from './message-chunk.ts'
import type { MailboxState, Tombstone } from './live-snapshot.ts'

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

export class SnapshotRows {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Undefined when the mailbox is gone. */
  state({ account, mailbox }: SnapshotKey): MailboxState | undefined {
    const [row] = this.#connection.arrays<StateColumns>(stateSql, account, mailbox)
    if (!row) return undefined
    const [uidValidity, uidNext, modSeq, tombstoneFloor, changeFloor, total] = row
    return { uidValidity, uidNext, modSeq, tombstoneFloor, changeFloor, total }
  }

  header({ account, mailbox }: SnapshotKey): PackedRow | undefined {
    const [row] = this.#connection.arrays<PackedRow>(
      'SELECT mod_seq, data FROM snapshot WHERE account = ? AND mailbox = ? AND chunk = 0',
      account,
      mailbox,
    )
    return row
  }

  /** A packed chunk, by its number from 0. */
  chunk({ account, mailbox }: SnapshotKey, number: number): Uint8Array | undefined {
    const [row] = this.#connection.arrays<[data: Uint8Array]>(
      'SELECT data FROM snapshot WHERE account = ? AND mailbox = ? AND chunk = ?',
      account,
      mailbox,
      number + 1,
    )
    return row?.[0]
  }

  /** Messages by UID, those above `after` and below `end`, in slices that are read when they are asked for. */
  *messageSlices(
    { account, mailbox }: SnapshotKey,
    after: number,
    end: number,
  ): Generator<readonly SnapshotRow[]> {
    const { rowsAtOnce } = limits.store
    for (let last = after; ; ) {
      const rows = this.#connection.arrays<SnapshotRow>(
        `SELECT ${rowColumns} FROM message WHERE account = ? AND mailbox = ? AND uid > ? AND uid < ? ORDER BY uid LIMIT ?`,
        account,
        mailbox,
        last,
        end,
        rowsAtOnce,
      )
      yield rows
      if (rows.length < rowsAtOnce) return
      last = rows[rows.length - 1]?.[0] ?? end
    }
  }

  /** All messages by UID, or those above one. */
  messages({ account, mailbox }: SnapshotKey, after = 0): readonly SnapshotRow[] {
    return this.#connection.arrays<SnapshotRow>(
      `SELECT ${rowColumns} FROM message WHERE account = ? AND mailbox = ? AND uid > ? ORDER BY uid`,
      account,
      mailbox,
      after,
    )
  }

  messagesBetween(
    { account, mailbox }: SnapshotKey,
    firstUid: number,
    lastUid: number,
  ): readonly SnapshotRow[] {
    return this.#connection.arrays<SnapshotRow>(
      `SELECT ${rowColumns} FROM message WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid`,
      account,
      mailbox,
      firstUid,
      lastUid,
    )
  }

  gone({ account, mailbox }: SnapshotKey, after: number): readonly GoneRow[] {
    return this.#connection.arrays<GoneRow>(
      'SELECT uid, mod_seq FROM tombstone WHERE account = ? AND mailbox = ? AND mod_seq > ? ORDER BY mod_seq, uid',
      account,
      mailbox,
      after,
    )
  }

  /** Expunges after one modSeq up to another, in slices that are read when they are asked for. */
  *goneSlices(
    { account, mailbox }: SnapshotKey,
    after: number,
    upTo: number,
  ): Generator<readonly Tombstone[], undefined> {
    const { rowsAtOnce } = limits.store
    for (let modSeq = after, uid: number = maxUid; ; ) {
      const rows = this.#connection.arrays<Tombstone>(
        `SELECT uid, mod_seq FROM tombstone
         WHERE account = ? AND mailbox = ? AND (mod_seq, uid) > (?, ?) AND mod_seq <= ? ORDER BY mod_seq, uid LIMIT ?`,
        account,
        mailbox,
        modSeq,
        uid,
        upTo,
        rowsAtOnce,
      )
      yield rows
      const last = rows[rowsAtOnce - 1]
      if (!last) return undefined
      ;[uid, modSeq] = last
    }
  }

  masks({ account, mailbox }: SnapshotKey, after: number): readonly MaskRow[] {
    return this.#connection.arrays<MaskRow>(
      `SELECT mod_seq, first_uid, last_uid, clears, adds FROM message_change
       WHERE account = ? AND mailbox = ? AND mod_seq > ? ORDER BY mod_seq, first_uid`,
      account,
      mailbox,
      after,
    )
  }

  /** Messages up to `lastUid` that changed after a modSeq: in the order of the ranges' modSeqs, and each in the range that changed it last. */
  changed({ account, mailbox }: SnapshotKey, after: number, lastUid: number): readonly ChangedRow[] {
    // So ordered SQLite need not sort.
    return this.#connection.arrays<ChangedRow>(
      `SELECT m.uid, m.flags, m.mod_seq FROM message_change c CROSS JOIN message m
       WHERE c.account = ? AND c.mailbox = ? AND c.mod_seq > ? AND m.account = c.account AND m.mailbox = c.mailbox
         AND m.uid BETWEEN c.first_uid AND c.last_uid AND m.uid <= ? AND m.mod_seq = c.mod_seq ORDER BY c.mod_seq, c.first_uid, m.uid`,
      account,
      mailbox,
      after,
      lastUid,
    )
  }

  /** Expunges at or below it are forgotten. A mailbox that is gone has none left. */
  tombstoneFloor({ account, mailbox }: SnapshotKey): number {
    const row = this.#connection.get<{ tombstone_floor: number }>(
      'SELECT tombstone_floor FROM mailbox WHERE account = ? AND id = ?',
      account,
      mailbox,
    )
    return row?.tombstone_floor ?? Number.POSITIVE_INFINITY
  }

  keywords(account: AccountId, set: number): { keywords: string } | undefined {
    return this.#connection.get<{ keywords: string }>(
      'SELECT keywords FROM keyword_set WHERE account = ? AND id = ?',
      account,
      set,
    )
  }

  /** What `read` reads is of one state. */
  consistently<Result>(read: () => Result): Result {
    return this.#connection.consistently(read)
  }
}
