// Every statement of the store's mutations and hot reads finds its rows by an index.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { Connection } from '../../src/store/sqlite/connection.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { mutationFiles, statementsOf } from './statements.ts'

/** Statements that go over a whole table, each with the reason why that is right. */
const scans: readonly (readonly [file: string, start: string, reason: string])[] = [
  ['mutations/create-alias.ts', 'WITH RECURSIVE', 'it goes over the addresses found so far'],
  ['mutations/delete-domain.ts', 'SELECT address', 'domains are deleted rarely'],
  ['mutations/report-node.ts', 'DELETE FROM node WHERE seen_at', 'there is one row for each server'],
  ['sqlite/maintenance.ts', 'SELECT id FROM account', 'once in a while, over a small table'],
]

const files = [
  ...mutationFiles,
  'read/acl.ts',
  'read/due-orphans.ts',
  'read/mailboxes.ts',
  'read/message-annotations.ts',
  'snapshots/snapshot-rows.ts',
  'sqlite/maintenance.ts',
  'sqlite/sqlite-store.ts',
  'sqlite/tx.ts',
  'bodies/compact.ts',
]

const folder = mkdtempSync(join(tmpdir(), 'restante-plan-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'store.db')
const connection = new Connection(path, { readOnly: false, timeoutMs: 0, cacheBytes: 10 ** 6 })
migrate(connection, 0)
connection.close()
const database = new DatabaseSync(path, { readOnly: true })

for (const file of files) {
  const statements = statementsOf(file)
  if (statements.length === 0) continue
  test(`${file} scans no table`, () => {
    for (const sql of statements) {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]
      const scan = plan.find(({ detail }) => /^SCAN (?!CONSTANT|\(subquery|reached)/.test(detail))
      const allowed = scans.some(([known, start]) => known === file && sql.startsWith(start))
      assert.ok(!scan || allowed, `${scan?.detail}: ${sql}`)
    }
  })
}

test('the statements are found', () => {
  assert.ok(statementsOf('mutations/append-messages.ts').length >= 4)
  assert.ok(statementsOf('snapshots/snapshot-rows.ts').length >= 6)
})
