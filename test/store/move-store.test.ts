// Moves a store between back-ends and back.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { MutationName } from '../../src/store/mutations.ts'
import { moveStore } from '../../src/store/move-store.ts'
import { openStore } from '../../src/store/open-store.ts'
import { openPostgres } from '../../src/store/postgres/open-postgres.ts'
import { migrate, schemaVersion } from '../../src/store/sqlite/migrate.ts'
import { Connection } from '../../src/store/sqlite/connection.ts'
import type { Reader, SqlValue, Store } from '../../src/store/store.ts'
import { accountTables, serverTables } from '../../src/store/tables.ts'
import { createDatabase } from '../postgres/database.ts'
import { temporaryFolder } from './fixture.ts'
import { fillVaried } from './varied-store.ts'

const tables = [...accountTables, ...serverTables]

async function openOnDisk(t: TestContext, path = temporaryFolder(t), mayBeFilling = true): Promise<Store> {
  const store = await openStore({ dataDir: path }, { mayBeFilling })
  t.after(() => store.close())
  return store
}

async function openOnServer(t: TestContext, url: string, mayBeFilling = true): Promise<Store> {
  const store = await openPostgres({ url }, { mayBeFilling })
  t.after(() => store.close())
  return store
}

/** Every row of what is stored, without what belongs to the back-end. */
async function contentsOf({ reader }: { reader: Reader }): Promise<Record<string, unknown[]>> {
  const contents: Record<string, unknown[]> = {}
  for (const { table, key } of tables) {
    if (table === 'snapshot') continue
    const columns = table === 'blob' ? 'account, hash, size_bytes, refs' : '*'
    const rows = await reader.all<Record<string, SqlValue>>(
      `SELECT ${columns} FROM ${table} ORDER BY ${key.join(', ')}`,
    )
    contents[table] = rows
      .filter(row => !(table === 'counter' && row['name'] === 'closed'))
      .map(row =>
        Object.entries(row)
          .map(([name, value]) => [
            name,
            value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
          ])
          .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      )
  }
  return contents
}

test('every table of the schema is moved, or is known to belong to the back-end', () => {
  const connection = new Connection(':memory:', { readOnly: false, timeoutMs: 0, cacheBytes: 1_000_000 })
  migrate(connection, 0)
  const names = connection.all<{ name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table'`)
  const known = new Set([...tables.map(({ table }) => table), 'schema_version', 'node'])
  assert.deepEqual(
    names.map(({ name }) => name).filter(name => !known.has(name)),
    [],
  )
  assert.ok(schemaVersion > 0)
  connection.close()
})

test('a store moves to PostgreSQL and back with every row and every body', async t => {
  const source = await openOnDisk(t)
  await fillVaried(source)
  const before = await contentsOf(source)
  for (const { table } of tables) {
    if (!['snapshot', 'queue_attempt'].includes(table))
      assert.ok(before[table]?.length, `nothing in ${table}`)
  }
  const database = await createDatabase()
  const server = await openOnServer(t, database.url)
  const report = await moveStore(source, server)
  assert.deepEqual(await contentsOf(server), before)
  const back = await openOnDisk(t)
  assert.deepEqual(await moveStore(server, back), report)
  assert.deepEqual(await contentsOf(back), before)
  assert.deepEqual(await contentsOf(source), before)
})

test('a move that is killed anywhere goes on where it was, also when the source has changed', async t => {
  const source = await openOnDisk(t)
  await fillVaried(source, 20)
  const path = temporaryFolder(t)
  let steps = 0
  let last = 0
  for (let stopAt = 1; ; stopAt += 1 + (stopAt >> 1)) {
    // As a killed process leaves it: what was committed is there.
    const target = await openOnDisk(t, path)
    const failing: Store = Object.create(target) as Store
    let calls = 0
    failing.mutate = (name, args) =>
      ++calls > stopAt && name !== 'beginImport'
        ? Promise.reject(new Error('killed'))
        : target.mutate(name, args)
    Object.defineProperty(failing, 'reader', { value: target.reader })
    failing.readBody = (...args) => target.readBody(...args)
    const outcome = await moveStore(source, failing).catch((error: unknown) => error)
    last = calls
    await target.close()
    if (!(outcome instanceof Error)) break
    assert.equal(outcome.message, 'killed')
    // A store half full is refused by whoever wants to serve it.
    await assert.rejects(openStore({ dataDir: path }), { code: 'unavailable', message: /being filled/ })
    steps++
    const [account] = await source.reader.all<{ id: number }>('SELECT id FROM account WHERE id > 0')
    await source.mutate('createMailbox', { account: account?.id as never, name: `Between ${stopAt}` })
    await source.mutate('expungeMessages', {
      account: account?.id as never,
      mailbox: 1 as never,
      uids: [[10 + steps, 10 + steps]],
      onlyDeleted: false,
    })
  }
  assert.ok(steps >= 3 && last > 3)
  const moved = await openOnDisk(t, path, false)
  assert.deepEqual(await contentsOf(moved), await contentsOf(source))
})

test('a row that is changed on purpose in the target is found at the end', async t => {
  const source = await openOnDisk(t)
  await fillVaried(source, 10)
  const database = await createDatabase()
  const server = await openOnServer(t, database.url)
  const corrupting: Store = Object.create(server) as Store
  Object.defineProperty(corrupting, 'reader', { value: server.reader })
  corrupting.readBody = (...args) => server.readBody(...args)
  corrupting.mutate = (async (name: MutationName, args: never) => {
    const result = await server.mutate(name, args)
    if (name === 'importRows' && (args as { table: string }).table === 'queue_recipient') await damage()
    return result
  }) as Store['mutate']
  async function damage(): Promise<void> {
    await database.query('UPDATE message SET flags = flags + 1 WHERE account = 1 AND mailbox = 1 AND uid = 2')
    await database.query(
      `UPDATE blob SET data = substring(data FOR size_bytes::int - 1) || '\\x00' WHERE ctid =
        (SELECT ctid FROM blob WHERE account = 2 AND data IS NOT NULL LIMIT 1)`,
    )
  }
  await assert.rejects(moveStore(source, corrupting), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'corrupt')
    assert.match(error.message, /message account 1, mailbox 1, uid 2: is different in the target/)
    assert.match(error.message, /body [0-9a-f]{64} of account 2: is not what was stored/)
    return true
  })
})

test('a target that holds something already is refused', async t => {
  const source = await openOnDisk(t)
  await fillVaried(source, 1)
  const other = await openOnDisk(t)
  await fillVaried(other, 1)
  await assert.rejects(moveStore(source, other), { code: 'exists' })
})
