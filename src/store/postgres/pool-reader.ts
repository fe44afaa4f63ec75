// Reads over shared sessions. A read that lost its session is asked again: it changes nothing.
import { limits } from '../../base/limits.ts'
import type { Reader, SqlValue } from '../store.ts'
import type { Statements } from './dialect.ts'
import { findServerError } from './server-error.ts'
import type { Rows } from './session.ts'
import { retryBefore, type SharedSessions } from './session-pool.ts'

export class PoolReader implements Reader {
  readonly #sessions: SharedSessions
  readonly #statements: Statements
  readonly #signal: AbortSignal

  constructor(sessions: SharedSessions, statements: Statements, signal: AbortSignal) {
    this.#sessions = sessions
    this.#statements = statements
    this.#signal = signal
  }

  async all<Row>(sql: string, ...params: readonly SqlValue[]): Promise<readonly Row[]> {
    return (await this.#ask<Row>(sql, params)).rows
  }

  async get<Row>(sql: string, ...params: readonly SqlValue[]): Promise<Row | undefined> {
    return (await this.#ask<Row>(sql, params)).rows[0]
  }

  async arrays<Row extends readonly unknown[]>(
    sql: string,
    ...params: readonly SqlValue[]
  ): Promise<readonly Row[]> {
    return (await this.#ask<Row>(sql, params, 'array')).rows
  }

  async #ask<Row>(sql: string, params: readonly SqlValue[], rowMode?: 'array'): Promise<Rows<Row>> {
    const statement = this.#statements.get(sql)
    const deadline = performance.now() + limits.postgres.retryMs
    try {
      return await retryBefore(deadline, this.#signal, async () => {
        const session = await this.#sessions.pick(deadline)
        return session.query<Row>(statement, params, rowMode)
      })
    } catch (error) {
      throw findServerError(error) ?? error
    }
  }
}
