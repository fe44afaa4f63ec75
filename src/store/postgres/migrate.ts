// Brings a database to the schema of this program: the steps that SQLite has, and those of PostgreSQL alone. Forward only; safe when many nodes start at once.
import { randomUUID } from 'node:crypto'
import { refuseNewer, type Schema } from '../schema-rule.ts'
import { schema } from '../sqlite/migrate.ts'
import { translateSchema } from './dialect.ts'
import { ownSchema } from './schema.ts'
import type { Session } from './session.ts'

/** Names the lock that one node at a time holds while it migrates. */
const migrationLock = 0x7265_7374

/** Applies the steps that are missing, in one transaction. Throws `StoreError` `unavailable` for a database of a newer program that this one cannot work on. */
export async function migrate(session: Session, nowMs: number, shared: Schema = schema): Promise<void> {
  await session.exec('BEGIN')
  try {
    await session.exec(`SELECT pg_advisory_xact_lock(${migrationLock})`)
    await session.exec(`CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL);
      CREATE TABLE IF NOT EXISTS postgres_schema_version (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)`)
    await applySteps(
      session,
      'schema_version',
      { ...shared, steps: shared.steps.map(translateSchema) },
      nowMs,
    )
    await applySteps(session, 'postgres_schema_version', ownSchema, nowMs)
    await session.exec(
      `INSERT INTO secret (name, value) VALUES ('store-id', '${randomUUID()}') ON CONFLICT (name) DO NOTHING`,
    )
    await session.exec('COMMIT')
  } catch (error) {
    if (!session.isEnded) await session.exec('ROLLBACK')
    throw error
  }
}

async function applySteps(
  session: Session,
  table: string,
  { steps, oldest }: Schema,
  nowMs: number,
): Promise<void> {
  const found = await session.exec(`SELECT coalesce(max(version), 0) AS version FROM ${table}`)
  const version = Number(found.rows[0]?.['version'])
  if (version > steps.length) {
    const row = await session.exec(`SELECT oldest FROM ${table} WHERE version = ${version}`)
    refuseNewer(version, steps.length, row.rows[0]?.['oldest'] as number | null)
  }
  for (const [index, sql] of steps.entries()) {
    if (index < version) continue
    await session.exec(sql)
    await session.exec(
      `INSERT INTO ${table} (version, applied_at) VALUES (${index + 1}, ${Math.floor(nowMs)})`,
    )
  }
  if (version < steps.length) {
    await session.exec(`UPDATE ${table} SET oldest = ${oldest} WHERE version = ${steps.length}`)
  }
}
