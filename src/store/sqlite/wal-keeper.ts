// When the write-ahead log reaches the disk, and when it is moved into the database. https://sqlite.org/wal.html
//
// A commit under synchronous=FULL syncs the log and with it every commit before. Under NORMAL it does not: after a power cut (not
// after a crash of ours) the last commits may be gone, never torn. So what promises mail is FULL, and commits of flags alone are NORMAL,
// synced within `relaxedSyncMs`.
import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import { StoreError } from '../error.ts'
import type { Connection } from './connection.ts'
import type { WriterGate } from './writer-gate.ts'

/** `strict` syncs each commit; `mail` lets flag changes alone reach the disk a second later. */
export type Durability = 'mail' | 'strict'

interface Checkpoint {
  readonly busy: number
  /** Frames in the log. */
  readonly log: number
}

/** Changed rows after which the length of the log is looked at: a few megabytes. */
export const rowsPerLook = 256

export class WalKeeper {
  readonly #connection: Connection
  readonly #walFile: string
  readonly #durability: Durability
  readonly #gate: WriterGate
  readonly #log: Log
  #isFull = true
  #isDoubtful = false
  /** Frames of `limits.store.walBytes`; a store keeps the size of the pages with which it was made. */
  readonly #framesAtOnce: number
  #checkpointAtFrames: number
  /** Rows that had been changed when the log was looked at last. */
  #lookedAtRows = 0
  /** Rows that other threads have changed. */
  #othersRows = 0
  #timer: NodeJS.Timeout | undefined

  /** `gate` is open while others may commit to the log, which the writer trusts. */
  constructor(
    connection: Connection,
    databaseFile: string,
    durability: Durability,
    gate: WriterGate,
    log: Log,
  ) {
    this.#connection = connection
    this.#walFile = `${databaseFile}-wal`
    this.#durability = durability
    this.#gate = gate
    this.#log = log
    // The writer checkpoints by itself: SQLite's own way lets the log grow without bound while there is always a reader.
    connection.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL')
    const pageBytes = connection.get<{ page_size: number }>('PRAGMA page_size')?.page_size
    this.#framesAtOnce = limits.store.walBytes / (pageBytes ?? limits.store.pageBytes)
    this.#checkpointAtFrames = this.#framesAtOnce
  }

  /** Call between transactions: the next one may be `relaxed`. Throws `StoreError` `unavailable` while a log that may have lost frames is still in use. */
  beforeTransaction(relaxed: boolean): void {
    if (this.#isDoubtful) this.#beginAnew()
    const full = !relaxed || this.#durability === 'strict'
    if (full === this.#isFull) return
    this.#connection.exec(full ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL')
    this.#isFull = full
  }

  /**
   * A sync of the log has failed: the kernel may have dropped what it could not write, and forgotten the error. Frames before the next commit
   * could be missing after a power cut, and every commit behind them with them, so the log is not built upon any more.
   */
  syncFailed(): void {
    this.#isDoubtful = true
    this.#gate.close()
  }

  /** Lets others commit what needs no sync. */
  openGate(): void {
    if (this.#durability !== 'strict' && !this.#isDoubtful) this.#gate.open()
  }

  /** Moves all of the log, as this process still sees it, into the database, and begins another. */
  #beginAnew(): void {
    this.#connection.exec('PRAGMA synchronous = FULL')
    this.#isFull = true
    const row = this.#checkpoint('RESTART')
    if (row?.busy !== 0) throw new StoreError('unavailable', 'the log cannot be begun anew while it is read')
    this.#isDoubtful = false
    this.openGate()
  }

  afterCommit(): void {
    if (!this.#isFull) this.#syncLater()
    // Others may have committed behind what was synced.
    else if (!this.#gate.isUnsynced) {
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
    this.#checkpointWhenLong()
  }

  /** Other threads have committed changes of `rows`, without a sync. */
  afterOthersCommit(rows: number): void {
    this.#othersRows += rows
    this.#syncLater()
    this.#checkpointWhenLong()
  }

  #syncLater(): void {
    this.#timer ??= setTimeout(() => this.#syncLog(), limits.store.relaxedSyncMs).unref()
  }

  #checkpointWhenLong(): void {
    // Looking costs as much as a small change: a row seldom dirties more than four pages.
    const rows = this.#connection.changedRows + this.#othersRows
    if (rows - this.#lookedAtRows < rowsPerLook) return
    this.#lookedAtRows = rows
    const frames = this.#framesAfter('NOOP')
    if (frames < this.#checkpointAtFrames) return
    // Readers that are in the midst of a statement make this partial; then the log grows until the next attempt.
    const left = this.#framesAfter('RESTART')
    this.#checkpointAtFrames = left + this.#framesAtOnce
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#connection.exec('PRAGMA synchronous = FULL')
    this.#framesAfter('TRUNCATE')
  }

  /** Checkpoints in a mode (NOOP only looks) and gives the count of frames that the log still needs. */
  #framesAfter(mode: 'NOOP' | 'RESTART' | 'TRUNCATE'): number {
    const row = mode === 'NOOP' ? this.#look() : this.#checkpoint(mode)
    if (!row) return 0
    return mode === 'NOOP' || row.busy !== 0 ? row.log : 0
  }

  #look(): Checkpoint | undefined {
    return this.#connection.get<Checkpoint>('PRAGMA wal_checkpoint(NOOP)')
  }

  /** Waits for nobody: a reader may take seconds. */
  #checkpoint(mode: 'RESTART' | 'TRUNCATE'): Checkpoint | undefined {
    this.#connection.exec('PRAGMA busy_timeout = 0')
    try {
      return this.#connection.get<Checkpoint>(`PRAGMA wal_checkpoint(${mode})`)
    } finally {
      this.#connection.exec(`PRAGMA busy_timeout = ${limits.store.briefMs}`)
    }
  }

  #syncLog(): void {
    this.#timer = undefined
    this.#gate.clearUnsynced()
    try {
      // A descriptor of our own on the log is safe to close: SQLite's locks are on the other two files.
      const fd = openSync(this.#walFile, 'r+')
      try {
        fdatasyncSync(fd)
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      this.syncFailed()
      this.#log.error({ err: error instanceof Error ? error : undefined }, 'syncing the log failed')
    }
  }
}
