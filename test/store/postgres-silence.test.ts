// A database server that is gone without a farewell, as a machine without power is, and one that only takes its time.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { limits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { openStore } from '../../src/store/open-store.ts'
import { CuttingProxy } from '../postgres/cutting-proxy.ts'
import { createDatabase } from '../postgres/database.ts'

const postgres: { silentMs: number; connectMs: number } = limits.postgres as never
postgres.silentMs = 100
postgres.connectMs = 1000

/** The database by way of the first address, or by the second. */
function either(first: string, second: string): string {
  const { host, username, pathname } = new URL(second)
  return `postgres://${username}@${new URL(first).host},${host}${pathname}`
}

const { url: direct } = await createDatabase()
const { proxy, url: behind } = await CuttingProxy.start(direct)
const url = either(behind, direct)
const store = await openStore({ url, readSessions: 1, writeSessions: 1 })
after(async () => {
  await store.close()
  await proxy.stop()
})

test('a session that waits for a lock is looked after and left alone', async () => {
  const locker = new pg.Client({ connectionString: direct })
  await locker.connect()
  await locker.query('BEGIN; SELECT 1 FROM account WHERE id = 0 FOR UPDATE')
  const before = proxy.connections
  const changing = store.mutate('pruneQueue', { finishedBefore: 0, limit: 1 })
  while (proxy.connections < before + 3) await new Promise(setImmediate)
  const { rows } = await locker.query(
    `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
  )
  assert.equal(rows.length, 1)
  await locker.query('COMMIT')
  assert.equal(await changing, 0)
  await locker.end()
})

test('when a server says nothing any more, not even to others, the next of the addresses serves', {
  timeout: 20_000,
}, async () => {
  proxy.decide = () => 'lose'
  const change = store.mutate('createDomain', { name: 'example.org' })
  assert.equal((await store.reader.get<{ one: number }>('SELECT 1 AS one'))?.one, 1)
  await change
  assert.equal((await store.reader.all('SELECT name FROM domain')).length, 1)
})

test('when the next of the addresses serves one session listens there, and none is left when the store is closed', {
  timeout: 20_000,
}, async () => {
  const own = await createDatabase()
  const { proxy: first, url: gone } = await CuttingProxy.start(own.url)
  const heard = Promise.withResolvers<void>()
  const other = await openStore(
    { url: either(gone, own.url) },
    {
      log: {
        ...silentLog,
        info(_, message) {
          if (message === 'hears of changes again') heard.resolve()
        },
      },
    },
  )
  await first.shut()
  await heard.promise
  await other.close()
  for (;;) {
    const rows = await own.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'restante'`,
    )
    if (rows.length === 0) break
  }
})
