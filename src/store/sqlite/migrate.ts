// Brings a database to the schema of this program. Forward only.
import { randomUUID } from 'node:crypto'
import { StoreError } from '../error.ts'
import type { Connection } from './connection.ts'
import { schema1 } from './schema-1.ts'
import { schema2 } from './schema-2.ts'
import { schema4 } from './schema-4.ts'

/** Step `i` leads from version `i` to version `i + 1`. Steps are never changed once released. */
export const schemaSteps: readonly string[] = [schema1, schema2, schema4]

/** The version that this program writes. */
export const schemaVersion = schemaSteps.length

/** The name that tells this store from others; made with it. */
export function nameStore(connection: Connection): void {
  connection.run(
    `INSERT INTO secret (name, value) VALUES ('store-id', ?) ON CONFLICT (name) DO NOTHING`,
    randomUUID(),
  )
}

/** Applies the steps that are missing, each in a transaction. Throws `StoreError` `unavailable` for a database of a newer program. */
export function migrate(connection: Connection, nowMs: number): void {
  connection.exec(
    'CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY, applied_at INTEGER NOT NULL)',
  )
  const found = connection.get<{ version: number | null }>(
    'SELECT max(version) AS version FROM schema_version',
  )
  const version = found?.version ?? 0
  if (version > schemaVersion) {
    throw new StoreError(
      'unavailable',
      `this store was written by a newer Restante (schema ${version}, this program knows ${schemaVersion}): start that version, or restore a backup made before`,
    )
  }
  for (const [index, sql] of schemaSteps.entries()) {
    if (index < version) continue
    connection.exec('BEGIN IMMEDIATE')
    try {
      connection.exec(sql)
      connection.run('INSERT INTO schema_version (version, applied_at) VALUES (?, ?)', index + 1, nowMs)
      connection.exec('COMMIT')
    } catch (error) {
      connection.exec('ROLLBACK')
      throw error
    }
  }
}
