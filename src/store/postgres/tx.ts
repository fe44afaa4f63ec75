// The transaction that a mutation sees, on PostgreSQL.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, BlobHash, ModSeq } from '../../base/ids.ts'
import type { QueueId } from '../queue-message.ts'
import type { BodyRef, ChangeHint, QueueIds, Quota, SqlValue, Tx } from '../store.ts'
import type { Statements } from './dialect.ts'
import type { RowBodies } from './row-bodies.ts'
import { raiseQueueIdsSql } from './schema.ts'
import { isConflict, isEnding } from './server-error.ts'
import type { Rows, Session } from './session.ts'

export interface TxParts {
  readonly session: Session
  readonly statements: Statements
  readonly bodies: RowBodies
  readonly nowMs: number
  readonly defaultQuota: Quota
  /** Mutations of other accounts use the transaction meanwhile, so none can be undone in part. */
  readonly isShared?: boolean
}

/** Statements go out as they are asked for and are answered in that order, so what needs no answer of another is awaited together. */
export class PostgresTx implements Tx {
  readonly #parts: TxParts
  #changes: ChangeHint[] | undefined = []
  readonly #left: Promise<unknown>[] = []
  #failure: unknown
  #isBroken = false
  readonly queueIds: QueueIds = {
    take: async () =>
      ((await this.get<{ id: QueueId }>(`SELECT nextval('queue_id') AS id`)) as { id: QueueId }).id,
    raise: async () => {
      await this.get(raiseQueueIdsSql)
    },
  }

  constructor(parts: TxParts) {
    this.#parts = parts
  }

  get nowMs(): number {
    return this.#parts.nowMs
  }

  get defaultQuota(): Quota {
    return this.#parts.defaultQuota
  }

  /** The mutation ended: what it changed. Nothing may follow. */
  end(): readonly ChangeHint[] {
    const changes = this.#changes ?? []
    this.#changes = undefined
    return changes
  }

  async all<Row>(sql: string, ...params: readonly SqlValue[]): Promise<readonly Row[]> {
    return (await this.#query<Row>(sql, params)).rows
  }

  async get<Row>(sql: string, ...params: readonly SqlValue[]): Promise<Row | undefined> {
    return (await this.#query<Row>(sql, params)).rows[0]
  }

  async arrays<Row extends readonly unknown[]>(
    sql: string,
    ...params: readonly SqlValue[]
  ): Promise<readonly Row[]> {
    return (await this.#query<Row>(sql, params, 'array')).rows
  }

  async run(sql: string, ...params: readonly SqlValue[]): Promise<number> {
    return (await this.#query(sql, params)).count
  }

  leave(statement: Awaitable<unknown>): void {
    if (!(statement instanceof Promise)) return
    this.#left.push(statement)
    statement.catch((error: unknown) => {
      this.#failure ??= error
    })
  }

  /** Settles when everything that was left has been answered. Throws what of it failed first. */
  async settle(): Promise<void> {
    if (this.#left.length > 0) await Promise.all(this.#left)
  }

  /** A part of it was to be undone, which a shared transaction cannot: nothing of that may be committed. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Why the mutation failed: after a statement that was left, all that follow fail because of it. */
  reasonOf(error: unknown): unknown {
    return this.#failure ?? error
  }

  async nested<T>(section: () => Promise<T>): Promise<T> {
    const { session, isShared = false } = this.#parts
    if (isShared) return this.#unbroken(section)
    const changes = this.#changes ?? []
    const changeCount = changes.length
    return withSavepoint(session, 'nested', section, () => {
      changes.length = changeCount
    })
  }

  takeBody(account: AccountId, body: BodyRef): Promise<void> | undefined {
    return this.#parts.bodies.insert(this, account, body)
  }

  async shareBody(from: AccountId, to: AccountId, hash: BlobHash): Promise<void> {
    const key = Buffer.from(hash, 'hex')
    // Wherever it lies: in its row, in chunks, or in S3.
    await Promise.all([
      this.run(
        `INSERT INTO blob (account, hash, segment, position, stored_bytes, size_bytes, compressed, refs, data)
         SELECT ?, hash, segment, position, stored_bytes, size_bytes, compressed, 1, data FROM blob WHERE account = ? AND hash = ?
         ON CONFLICT (account, hash) DO UPDATE SET refs = blob.refs + 1`,
        to,
        from,
        key,
      ),
      this.run(
        `INSERT INTO body_chunk (account, hash, chunk, data) SELECT ?, hash, chunk, data FROM body_chunk WHERE account = ? AND hash = ?
         ON CONFLICT (account, hash, chunk) DO NOTHING`,
        to,
        from,
        key,
      ),
    ])
  }

  changed(account: AccountId, modSeq: ModSeq): void {
    this.#changes?.push({ account, modSeq })
  }

  async #unbroken<T>(section: () => Promise<T>): Promise<T> {
    try {
      return await section()
    } catch (error) {
      this.#isBroken = true
      throw error
    }
  }

  #query<Row>(sql: string, params: readonly SqlValue[], rowMode?: 'array'): Promise<Rows<Row>> {
    if (!this.#changes) throw new Error('a mutation used its transaction after it ended')
    const { session, statements } = this.#parts
    return session.query<Row>(statements.get(sql), params, rowMode)
  }
}

/** Whether a failure is everyone's: of the server, or of the whole transaction. */
export function concernsAll(error: unknown): boolean {
  return isEnding(error) || isConflict(error)
}

/** Runs `section` as a part that is undone alone when it throws, unless the whole transaction has to begin again. */
export async function withSavepoint<T>(
  session: Session,
  name: string,
  section: () => Promise<T>,
  onUndone: () => void,
): Promise<T> {
  // Nobody waits for their answers: where one fails, so do the statements behind it, and the commit.
  session.control(`SAVEPOINT ${name}`).catch(() => {})
  try {
    const result = await section()
    session.control(`RELEASE SAVEPOINT ${name}`).catch(() => {})
    return result
  } catch (error) {
    if (concernsAll(error)) throw error
    await session.exec(`ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`)
    onUndone()
    throw error
  }
}
