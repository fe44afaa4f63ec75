// Brings a database to the schema of this program. Forward only.
import { randomUUID } from 'node:crypto'
import { refuseNewer, type Schema } from '../schema-rule.ts'
import type { Connection } from './connection.ts'
import { schema1 } from './schema-1.ts'
import { schema2 } from './schema-2.ts'
import { schema3 } from './schema-3.ts'
import { schema4 } from './schema-4.ts'
import { schema5 } from './schema-5.ts'
import { schema6 } from './schema-6.ts'
import { schema7 } from './schema-7.ts'

/** Step `i` leads from version `i` to version `i + 1`. Steps are never changed once released. */
const schemaSteps: readonly string[] = [schema1, schema2, schema3, schema4, schema5, schema6, schema7]

/** The version that this program writes. */
export const schemaVersion = schemaSteps.length

/** Raise `oldest` to the version of a step that contracts. */
export const schema: Schema = { steps: schemaSteps, oldest: 6 }

/** The name that tells this store from others; made with it. */
export function nameStore(connection: Connection): void {
  connection.run(
    `INSERT INTO secret (name, value) VALUES ('store-id', ?) ON CONFLICT (name) DO NOTHING`,
    randomUUID(),
  )
}

/** Applies the steps that are missing, each in a transaction. Throws `StoreError` `unavailable` for a database of a newer program that this one cannot work on. */
export function migrate(connection: Connection, nowMs: number, { steps, oldest }: Schema = schema): void {
  connection.exec(
    'CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY, applied_at INTEGER NOT NULL)',
  )
  const found = connection.get<{ version: number | null }>(
    'SELECT max(version) AS version FROM schema_version',
  )
  const version = found?.version ?? 0
  if (version > steps.length) {
    const row = connection.get<{ oldest: number | null }>(
      'SELECT oldest FROM schema_version WHERE version = ?',
      version,
    )
    refuseNewer(version, steps.length, row?.oldest)
  }
  for (const [index, sql] of steps.entries()) {
    if (index < version) continue
    connection.exec('BEGIN IMMEDIATE')
    try {
      connection.exec(sql)
      connection.run('INSERT INTO schema_version (version, applied_at) VALUES (?, ?)', index + 1, nowMs)
      if (index + 1 === steps.length) {
        connection.run('UPDATE schema_version SET oldest = ? WHERE version = ?', oldest, index + 1)
      }
      connection.exec('COMMIT')
    } catch (error) {
      connection.exec('ROLLBACK')
      throw error
    }
  }
}
