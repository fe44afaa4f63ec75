// The snapshots of one store on PostgreSQL: each refresh is one statement, which reads the state and all that changed on one view of the database.
//
// Invariant: a caller gets a state that was read after he asked; those who ask while a refresh of the same mailbox is under way share the next one.
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import { StoreError } from '../error.ts'
import { keywordShift } from '../flags.ts'
import type { MailboxSnapshot } from '../mailbox-snapshot.ts'
import { splitKeywords } from '../mutations/intern-keywords.ts'
import {
  applyChanges,
  canFollow,
  entryBytes,
  type ChangedRow,
  type GoneRow,
  hasDrifted,
  keyOf,
  lastUidOf,
  packedOf,
  type PackedRow,
  type SnapshotEntry,
  type SnapshotKey,
  snapshotOfHeader,
  snapshotOfRows,
  usableHeader,
} from '../snapshots/build-snapshot.ts'
import type { SnapshotRow } from '../snapshots/message-chunk.ts'
import { continueDraft, needsDraft } from '../snapshots/draft.ts'
import type { MailboxState, SnapshotContext, Tombstones } from '../snapshots/live-snapshot.ts'
import { packSnapshot, type SaveSnapshotCall } from '../snapshots/pack-snapshot.ts'
import { findPackedHeader, lastUidIn, soundChunks } from '../snapshots/packing.ts'
import type { Reader } from '../store.ts'

type Numbers = readonly number[]

const stateSql = `SELECT 0 AS kind, uid_validity AS a, uid_next AS b, mod_seq AS c, tombstone_floor AS d, change_floor AS e, total AS f, 0 AS g
  FROM mailbox WHERE account = ? AND id = ?`
const messageColumns = '2, uid, flags, mod_seq, size_bytes, received_at, saved_at, email'
export const changesSql = `${stateSql}
  UNION ALL SELECT 1, uid, mod_seq, 0, 0, 0, 0, 0 FROM tombstone WHERE account = ? AND mailbox = ? AND mod_seq > ?
  UNION ALL SELECT 3, m.uid, m.flags, c.mod_seq, 0, 0, 0, 0 FROM message_change c CROSS JOIN LATERAL (
      SELECT uid, flags FROM message WHERE account = c.account AND mailbox = c.mailbox
        AND uid BETWEEN c.first_uid AND least(c.last_uid, ?) AND mod_seq = c.mod_seq OFFSET 0) m
    WHERE c.account = ? AND c.mailbox = ? AND c.mod_seq > ?
  UNION ALL SELECT ${messageColumns} FROM message WHERE account = ? AND mailbox = ? AND uid > ?`
export const allSql = `${stateSql} UNION ALL SELECT ${messageColumns} FROM message WHERE account = ? AND mailbox = ?`

interface Answer {
  readonly state: MailboxState
  readonly gone: readonly GoneRow[]
  readonly changed: readonly ChangedRow[]
  /** By UID. */
  readonly messages: readonly SnapshotRow[]
}

/** The refreshes of one mailbox. */
interface Line {
  /** Asked for, and not begun. */
  next: PromiseWithResolvers<SnapshotEntry> | undefined
  isRunning: boolean
}

export class PostgresSnapshots {
  readonly #reader: Reader
  readonly #save: SaveSnapshotCall
  readonly #snapshots: Lru<string, SnapshotEntry>
  readonly #accounts = new Lru<AccountId, AccountContext>(limits.store.keywordSets)
  readonly #lines = new Map<string, Line>()
  /** Mailboxes whose snapshot is being saved. */
  readonly #saving = new Set<string>()

  constructor(reader: Reader, save: SaveSnapshotCall, maxBytes: number = limits.store.snapshotBytes) {
    this.#reader = reader
    this.#save = save
    this.#snapshots = new Lru(maxBytes)
  }

  /** The mailbox as the last commit left it, or as it was at `atLeast` or later. Throws `no-such-mailbox`. */
  async get(account: AccountId, mailbox: MailboxId, atLeast = Infinity): Promise<MailboxSnapshot> {
    const key = keyOf({ account, mailbox })
    const known = this.#snapshots.get(key)
    if (known && known.snapshot.modSeq >= atLeast) return known.snapshot
    const line = this.#lines.get(key) ?? { next: undefined, isRunning: false }
    line.next ??= Promise.withResolvers()
    const { promise } = line.next
    if (!line.isRunning) void this.#runLine(key, { account, mailbox }, line)
    const entry = await promise
    this.#packIfDrifted(key, entry)
    return entry.snapshot
  }

  /** Packs a mailbox as it is now, and remembers nothing of it; one that is known here is packed as it drifts. Throws `no-such-mailbox`. */
  async packAhead(account: AccountId, mailbox: MailboxId): Promise<void> {
    const place = { account, mailbox }
    const key = keyOf(place)
    if (this.#snapshots.get(key) || this.#lines.has(key)) return
    await this.#pack(key, await this.#load(place))
  }

  /** The mailbox is gone. */
  forget(place: SnapshotKey): void {
    this.#snapshots.delete(keyOf(place))
  }

  clear(): void {
    this.#snapshots.clear()
    this.#accounts.clear()
  }

  async #runLine(key: string, place: SnapshotKey, line: Line): Promise<void> {
    line.isRunning = true
    this.#lines.set(key, line)
    while (line.next) {
      const { resolve, reject } = line.next
      line.next = undefined
      await this.#refresh(key, place).then(resolve, reject)
    }
    this.#lines.delete(key)
  }

  async #refresh(key: string, place: SnapshotKey): Promise<SnapshotEntry> {
    try {
      const known = this.#snapshots.get(key)
      const entry = (known && (await this.#follow(known))) ?? (await this.#load(place))
      if (entry !== known) this.#snapshots.set(key, entry, entryBytes(entry))
      return entry
    } catch (error) {
      if (error instanceof StoreError && error.code === 'no-such-mailbox') this.#snapshots.delete(key)
      throw error
    }
  }

  /** The next state of a snapshot; undefined when the way there is forgotten. */
  async #follow(entry: SnapshotEntry): Promise<SnapshotEntry | undefined> {
    const { account, modSeq } = entry.snapshot
    const { state, gone, changed, messages } = await this.#readChanges(
      entry.snapshot,
      modSeq,
      lastUidOf(entry),
    )
    if (state.modSeq === modSeq && state.uidValidity === entry.snapshot.uidValidity) return entry
    if (!canFollow(entry, state)) return undefined
    const context = await this.#contextFor(account, [...changed, ...messages])
    if (!needsDraft(entry, state)) return applyChanges(context, entry, state, gone, changed, messages)
    const draft = await continueDraft(entry, state, [gone], [messages])
    return applyChanges(context, { ...entry, draft }, state, [], changed, [])
  }

  async #load(place: SnapshotKey): Promise<SnapshotEntry> {
    const { account, mailbox } = place
    const header = await this.#headerRow(place)
    const packed = header && (await this.#unpack(place, header))
    if (packed) return packed
    const rows = await this.#reader.arrays<Numbers>(allSql, account, mailbox, account, mailbox)
    const { state, messages } = answerOf(rows)
    const context = await this.#contextFor(account, messages)
    return snapshotOfRows(context, place, state, messages, header?.[0] ?? 0)
  }

  /** The packed snapshot with what changed since; undefined when it is not whole or not recent enough. */
  async #unpack(place: SnapshotKey, row: PackedRow): Promise<SnapshotEntry | undefined> {
    const { account, mailbox } = place
    const [modSeq] = row
    const chunkRows = await this.#reader.arrays<[data: Uint8Array]>(
      'SELECT data FROM snapshot WHERE account = ? AND mailbox = ? AND chunk > 0 ORDER BY chunk',
      account,
      mailbox,
    )
    const header = findPackedHeader(row[1])
    const chunks =
      header &&
      (await soundChunks(
        header,
        chunkRows.map(([data]) => data),
      ))
    if (!chunks) return undefined
    const { state, gone, changed, messages } = await this.#readChanges(place, modSeq, lastUidIn(header))
    if (!usableHeader(row, state)) return undefined
    const context = this.#contextOf(account)
    const find = (chunk: number) => chunks[chunk] as Uint8Array
    const before = snapshotOfHeader(context, place, state, modSeq, header, find)
    const entry = before && applyChanges(context, before, state, gone, changed, messages)
    if (entry) await context.learn(entry.snapshot.survey.keywordSets)
    return entry
  }

  /** The state, and what changed after `modSeq`; above `lastUid` all is new. */
  async #readChanges({ account, mailbox }: SnapshotKey, modSeq: number, lastUid: number): Promise<Answer> {
    const key = [account, mailbox] as const
    const rows = await this.#reader.arrays<Numbers>(
      changesSql,
      ...key,
      ...key,
      modSeq,
      lastUid,
      ...key,
      modSeq,
      ...key,
      lastUid,
    )
    return answerOf(rows)
  }

  async #contextFor(
    account: AccountId,
    messages: readonly (SnapshotRow | ChangedRow)[],
  ): Promise<AccountContext> {
    const context = this.#contextOf(account)
    await context.learn(messages.map(row => row[1] >>> keywordShift))
    return context
  }

  #contextOf(account: AccountId): AccountContext {
    const known = this.#accounts.get(account)
    if (known) return known
    const context = new AccountContext(this.#reader, account)
    this.#accounts.set(account, context)
    return context
  }

  #packIfDrifted(key: string, entry: SnapshotEntry): void {
    if (this.#saving.has(key) || !hasDrifted(entry)) return
    this.#saving.add(key)
    // Not while a session waits for its SELECT.
    setImmediate(() => {
      this.#pack(key, entry)
        .catch(() => {
          // The store is closing or the server is away; the rows are the truth.
        })
        .finally(() => this.#saving.delete(key))
    })
  }

  async #pack(key: string, entry: SnapshotEntry): Promise<void> {
    await packSnapshot(entry, this.#save)
    // Another node may have been quicker, so look at what is there now.
    const packed = packedOf(await this.#headerRow(entry.snapshot))
    const current = this.#snapshots.get(key)
    if (!current) return
    current.packed = packed
    current.drift = 0
  }

  async #headerRow({ account, mailbox }: SnapshotKey): Promise<PackedRow | undefined> {
    const [row] = await this.#reader.arrays<PackedRow>(
      'SELECT mod_seq, data FROM snapshot WHERE account = ? AND mailbox = ? AND chunk = 0',
      account,
      mailbox,
    )
    return row
  }
}

/** What snapshots of one account ask for; lives as long as any of them. Keyword sets never change, so what was read once stays right. */
class AccountContext implements SnapshotContext {
  readonly #reader: Reader
  readonly #account: AccountId
  readonly #sets = new Map<number, readonly string[]>()

  constructor(reader: Reader, account: AccountId) {
    this.#reader = reader
    this.#account = account
  }

  /** Reads those of the keyword sets that are not known yet, before a snapshot shows them. */
  async learn(sets: Iterable<number>): Promise<void> {
    let lowest = Infinity
    for (const set of sets) if (set > 0 && set < lowest && !this.#sets.has(set)) lowest = set
    if (lowest === Infinity) return
    const rows = await this.#reader.arrays<[id: number, keywords: string]>(
      'SELECT id, keywords FROM keyword_set WHERE account = ? AND id >= ?',
      this.#account,
      lowest,
    )
    for (const [id, keywords] of rows) this.#sets.set(id, splitKeywords(keywords))
  }

  keywords(_account: AccountId, set: number): readonly string[] {
    return this.#sets.get(set) ?? []
  }

  async tombstones(account: AccountId, mailbox: MailboxId, after: number, upTo: number): Promise<Tombstones> {
    const rows = await this.#reader.arrays<[kind: number, uid: number, modSeq: number]>(
      `SELECT 0, tombstone_floor, 0 FROM mailbox WHERE account = ? AND id = ?
       UNION ALL SELECT 1, uid, mod_seq FROM tombstone WHERE account = ? AND mailbox = ? AND mod_seq > ? AND mod_seq <= ?`,
      account,
      mailbox,
      account,
      mailbox,
      after,
      upTo,
    )
    const gone = rows
      .filter(([kind]) => kind === 1)
      .map(([, uid, modSeq]) => [uid as Uid, modSeq as ModSeq] as const)
    return {
      floor: rows.find(([kind]) => kind === 0)?.[1] ?? Number.POSITIVE_INFINITY,
      rows: gone.sort((a, b) => a[0] - b[0]),
    }
  }
}

/** Throws `no-such-mailbox`. Rows come in any order; changes are told in that of modSeq and UID. */
function answerOf(rows: readonly Numbers[]): Answer {
  let state: MailboxState | undefined
  const gone: GoneRow[] = []
  const changed: ChangedRow[] = []
  const messages: SnapshotRow[] = []
  for (const row of rows) {
    if (row[0] === 2) messages.push(row.slice(1) as unknown as SnapshotRow)
    else if (row[0] === 3) changed.push(row.slice(1, 4) as unknown as ChangedRow)
    else if (row[0] === 1) gone.push([row[1] as number, row[2] as number])
    else {
      const [, uidValidity, uidNext, modSeq, tombstoneFloor, changeFloor, total] = row
      state = { uidValidity, uidNext, modSeq, tombstoneFloor, changeFloor, total } as MailboxState
    }
  }
  if (!state) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  return {
    state,
    gone: gone.sort((a, b) => a[1] - b[1] || a[0] - b[0]),
    changed: changed.sort((a, b) => a[2] - b[2] || a[0] - b[0]),
    messages: messages.sort((a, b) => a[0] - b[0]),
  }
}
