// The transaction that a mutation sees, on SQLite.
import type { AccountId, BlobHash, ModSeq } from '../../base/ids.ts'
import type { BodySink } from '../bodies/body-sink.ts'
import type { BodyRef, ChangeHint, Quota, SqlValue, Tx } from '../store.ts'
import type { Connection } from './connection.ts'
import { findStorageError } from './storage-error.ts'

/** Statements answer at once, so mutations run one after another though they are written with `await`. */
export class SqliteTx implements Tx {
  readonly #connection: Connection
  readonly #bodies: BodySink
  readonly #isTentative: boolean
  #changes: ChangeHint[] | undefined
  readonly nowMs: number
  readonly defaultQuota: Quota

  /** `isTentative`: what is refused, a part of a mutation too, is done again in another transaction, so none has a savepoint. */
  constructor(
    connection: Connection,
    bodies: BodySink,
    nowMs: number,
    defaultQuota: Quota,
    isTentative = false,
  ) {
    this.#connection = connection
    this.#bodies = bodies
    this.#isTentative = isTentative
    this.nowMs = nowMs
    this.defaultQuota = defaultQuota
  }

  /** A mutation begins. */
  begin(): void {
    this.#changes = []
  }

  /** The mutation ended: what it changed. A statement that it forgot to await would run in another's savepoint, so none may follow. */
  end(): readonly ChangeHint[] {
    const changes = this.#changes ?? []
    this.#changes = undefined
    return changes
  }

  all<Row>(sql: string, ...params: readonly SqlValue[]): readonly Row[] {
    return this.#open().all<Row>(sql, ...params)
  }

  get<Row>(sql: string, ...params: readonly SqlValue[]): Row | undefined {
    return this.#open().get<Row>(sql, ...params)
  }

  arrays<Row extends readonly unknown[]>(sql: string, ...params: readonly SqlValue[]): readonly Row[] {
    return this.#open().arrays<Row>(sql, ...params)
  }

  run(sql: string, ...params: readonly SqlValue[]): number {
    return this.#open().run(sql, ...params)
  }

  /** It has run. */
  leave(): void {}

  async nested<T>(section: () => Promise<T>): Promise<T> {
    if (this.#isTentative) return tentatively(section)
    const connection = this.#open()
    const changes = this.#changes ?? []
    const changeCount = changes.length
    const mark = this.#bodies.mark()
    connection.run('SAVEPOINT nested')
    try {
      const result = await section()
      connection.run('RELEASE nested')
      return result
    } catch (error) {
      // After a failure of the disk SQLite may have ended the whole transaction; the writer sees to that.
      if (findStorageError(error)) throw error
      connection.run('ROLLBACK TO nested')
      connection.run('RELEASE nested')
      this.#bodies.rollBackTo(mark)
      changes.length = changeCount
      throw error
    }
  }

  takeBody(account: AccountId, body: BodyRef): undefined {
    const connection = this.#open()
    const hash = Buffer.from(body.hash, 'hex')
    const known = connection.run(
      'UPDATE blob SET refs = refs + 1 WHERE account = ? AND hash = ?',
      account,
      hash,
    )
    if (known > 0) return
    const { segment, offset, storedBytes, sizeBytes, compressed } = this.#bodies.locate(body)
    connection.run(
      'INSERT INTO blob (account, hash, segment, position, stored_bytes, size_bytes, compressed, refs) VALUES (?, ?, ?, ?, ?, ?, ?, 1)',
      account,
      hash,
      segment,
      offset,
      storedBytes,
      sizeBytes,
      compressed ? 1 : 0,
    )
  }

  shareBody(from: AccountId, to: AccountId, hash: BlobHash): void {
    this.#open().run(
      `INSERT INTO blob (account, hash, segment, position, stored_bytes, size_bytes, compressed, refs)
       SELECT ?, hash, segment, position, stored_bytes, size_bytes, compressed, 1 FROM blob WHERE account = ? AND hash = ?
       ON CONFLICT (account, hash) DO UPDATE SET refs = blob.refs + 1`,
      to,
      from,
      Buffer.from(hash, 'hex'),
    )
  }

  changed(account: AccountId, modSeq: ModSeq): void {
    this.#changes?.push({ account, modSeq })
  }

  #open(): Connection {
    if (!this.#changes) throw new Error('a mutation used its transaction after it ended')
    return this.#connection
  }
}

/** Whoever asked for it takes no refusal for an answer: all of it is done again. */
async function tentatively<T>(section: () => Promise<T>): Promise<T> {
  try {
    return await section()
  } catch (error) {
    if (findStorageError(error)) throw error
    throw new Error('this part has to be undone alone', { cause: error })
  }
}
