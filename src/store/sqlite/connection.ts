// One SQLite connection with its prepared statements.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import type { SqlValue } from '../store.ts'

/** Statements are prepared once and kept by their text, so write SQL with placeholders and a bounded number of texts. */
export class Connection {
  readonly #database: DatabaseSync
  readonly #statements = new Lru<string, StatementSync>(limits.store.statements)
  readonly #arrayStatements = new Lru<string, StatementSync>(limits.store.statements)
  /** Rows that `run` has changed so far. */
  changedRows = 0

  /** Opens `path` (`:memory:` for none). `timeoutMs` is how long a statement waits, blocking, for another process; `cacheBytes` is the most that pages may take. */
  constructor(
    path: string,
    options: { readonly readOnly: boolean; readonly timeoutMs: number; readonly cacheBytes: number },
  ) {
    this.#database = new DatabaseSync(path, {
      readOnly: options.readOnly,
      timeout: options.timeoutMs,
      enableForeignKeyConstraints: false,
    })
    this.exec(`PRAGMA cache_size = -${Math.ceil(options.cacheBytes / 1024)}; PRAGMA temp_store = MEMORY`)
  }

  all<Row>(sql: string, ...params: readonly SqlValue[]): Row[] {
    return this.#statement(sql).all(...params) as Row[]
  }

  get<Row>(sql: string, ...params: readonly SqlValue[]): Row | undefined {
    return this.#statement(sql).get(...params) as Row | undefined
  }

  arrays<Row extends readonly unknown[]>(sql: string, ...params: readonly SqlValue[]): Row[] {
    return this.#arrayStatement(sql).all(...params) as unknown as Row[]
  }

  /** The count of rows changed. */
  run(sql: string, ...params: readonly SqlValue[]): number {
    const count = Number(this.#statement(sql).run(...params).changes)
    this.changedRows += count
    return count
  }

  /** Runs SQL without placeholders, several statements if need be; nothing is kept. */
  exec(sql: string): void {
    this.#database.exec(sql)
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction
  }

  /** Runs `section`, which must be synchronous, on one state of the database. */
  consistently<T>(section: () => T): T {
    if (this.#database.isTransaction) return section()
    this.#statement('BEGIN').run()
    try {
      return section()
    } finally {
      this.#statement('COMMIT').run()
    }
  }

  close(): void {
    this.#statements.clear()
    this.#arrayStatements.clear()
    if (this.#database.isOpen) this.#database.close()
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #arrayStatement(sql: string): StatementSync {
    const known = this.#arrayStatements.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql, { returnArrays: true })
    this.#arrayStatements.set(sql, statement)
    return statement
  }
}
