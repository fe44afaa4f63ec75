// Reads over one connection.
import type { Awaitable } from '../../base/awaitable.ts'
import type { Reader, SqlValue } from '../store.ts'
import type { Connection } from './connection.ts'

/** On disk the connection is its own and answers at once. */
export class ConnectionReader implements Reader {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  all<Row>(sql: string, ...params: readonly SqlValue[]): readonly Row[] {
    return this.#connection.all<Row>(sql, ...params)
  }

  get<Row>(sql: string, ...params: readonly SqlValue[]): Row | undefined {
    return this.#connection.get<Row>(sql, ...params)
  }

  arrays<Row extends readonly unknown[]>(sql: string, ...params: readonly SqlValue[]): readonly Row[] {
    return this.#connection.arrays<Row>(sql, ...params)
  }

  asText(column: string): string {
    return asText(column)
  }

  get knowsLocations(): boolean {
    return true
  }
}

/** In memory the connection is the writer's: a read waits until the open transaction has ended. */
export class SharedReader implements Reader {
  readonly #connection: Connection
  readonly #whenCommitted: WhenCommitted

  constructor(connection: Connection, whenCommitted: WhenCommitted) {
    this.#connection = connection
    this.#whenCommitted = whenCommitted
  }

  all<Row>(sql: string, ...params: readonly SqlValue[]): Awaitable<readonly Row[]> {
    return this.#whenCommitted(() => this.#connection.all<Row>(sql, ...params))
  }

  get<Row>(sql: string, ...params: readonly SqlValue[]): Awaitable<Row | undefined> {
    return this.#whenCommitted(() => this.#connection.get<Row>(sql, ...params))
  }

  arrays<Row extends readonly unknown[]>(
    sql: string,
    ...params: readonly SqlValue[]
  ): Awaitable<readonly Row[]> {
    return this.#whenCommitted(() => this.#connection.arrays<Row>(sql, ...params))
  }

  asText(column: string): string {
    return asText(column)
  }

  get knowsLocations(): boolean {
    return true
  }
}

/** node:sqlite makes a string of ASCII in a fifth of the time of a Uint8Array. */
function asText(column: string): string {
  return `CAST(${column} AS TEXT)`
}

/** Runs `section`, synchronous, while no transaction is open. */
export type WhenCommitted = <T>(section: () => Awaitable<T>) => Awaitable<T>
