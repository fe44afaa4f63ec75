// The search index in PostgreSQL: one node fills it, all search by it, and nothing that happens to it makes an answer wrong.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../../src/base/limits.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { silentMetrics } from '../../../src/base/metrics.ts'
import { openStorage } from '../../../src/server/storage.ts'
import { storeConfigSchema } from '../../../src/store/config.ts'
import { openStore } from '../../../src/store/open-store.ts'
import type { StoreOptions } from '../../../src/store/store-options.ts'
import type { Store } from '../../../src/store/store.ts'
import { CuttingProxy } from '../../postgres/cutting-proxy.ts'
import { createDatabase, type TestDatabase } from '../../postgres/database.ts'
import { addAccount, mailboxId, temporaryFolder } from '../fixture.ts'
import { check, fill, type Filled, folding } from './numbered-emails.ts'

/** A node that fills the index when it can. */
function openNode(t: TestContext, url: string, options: StoreOptions = {}): Promise<Store> {
  return open(t, url, true, options)
}

/** One that only searches. */
function openReading(t: TestContext, url: string): Promise<Store> {
  return open(t, url, false, {})
}

async function open(t: TestContext, url: string, maintains: boolean, options: StoreOptions): Promise<Store> {
  const store = await openStore({ url, maintains }, { searchIndex: true, clock: systemClock, ...options })
  t.after(() => store.close())
  return store
}

interface Indexed extends Filled {
  readonly database: TestDatabase
  readonly store: Store
}

/** A node with an account of 200 emails; all but the last eight are in the index. */
async function startIndexed(t: TestContext, options: StoreOptions = {}): Promise<Indexed> {
  const database = await createDatabase()
  const store = await openNode(t, database.url, options)
  const account = await addAccount(store)
  await fill(store, account, 1, 200)
  await store.maintain()
  return { database, store, account, count: 200 }
}

async function countOf({ query }: TestDatabase, table: string): Promise<number> {
  const [row] = await query(`SELECT count(*) AS total FROM ${table}`)
  return Number(row?.['total'])
}

test('a server with threads fills the index in a thread of its own', async t => {
  const { url } = await createDatabase()
  const made = Promise.withResolvers<void>()
  const metrics = {
    ...silentMetrics,
    count(name: string, _labels?: unknown, by = 1) {
      if (name === 'search_index_emails' && by > 0) made.resolve()
    },
  }
  const storage = await openStorage({
    config: {
      dataDir: temporaryFolder(t),
      threads: 1,
      quota: { bytes: null, messages: null },
      search: { index: true },
      store: storeConfigSchema.parse({ url }),
    },
    clock: systemClock,
    log: silentLog,
    metrics,
    onNewWriter: () => {},
  })
  t.after(() => storage.close())
  const account = await addAccount(storage.store)
  await fill(storage.store, account, 1, 200)
  // Not here.
  await storage.store.maintain()
  assert.equal(await check(storage.store.searchIndex, { account, count: 200 }), 0)
  storage.startIndexer()
  await made.promise
})

test('what one node has indexed every node searches by, and what is not indexed yet it says', async t => {
  const { database, store, account, count } = await startIndexed(t)
  const other = await openReading(t, database.url)
  for (const { searchIndex } of [store, other])
    assert.ok((await check(searchIndex, { account, count })) > 700)
  const before = await check(other.searchIndex, { account, count })
  await fill(other, account, 201, 250)
  await store.maintain()
  // They fill no chunk: of them the index decides nothing.
  assert.equal(await check(other.searchIndex, { account, count: 250 }), before)
  await fill(other, account, 251, 270)
  await store.maintain()
  assert.ok((await check(other.searchIndex, { account, count: 270 })) > before + 3 * 64)
  // Small chunks become a large one, under a reader that remembers them.
  await fill(other, account, 271, 1030)
  await store.maintain()
  assert.equal(await countOf(database, 'search_chunk'), 1)
  assert.ok((await check(other.searchIndex, { account, count: 1030 })) > 3900)
})

test('the node that fills the index hears of changes that others make', async t => {
  const { database, account } = await startIndexed(t)
  const other = await openReading(t, database.url)
  await fill(other, account, 201, 270)
  while ((await countOf(database, 'search_chunk')) < 4) await new Promise(setImmediate)
  assert.ok((await check(other.searchIndex, { account, count: 270 })) > 4 * 240)
})

test('with search.index = false nothing is indexed nor searched by the index', async t => {
  const { database, account, count } = await startIndexed(t)
  const store = await openNode(t, database.url, { searchIndex: false })
  assert.equal(await check(store.searchIndex, { account, count }), 0)
})

test('while a node fills the index no other does, and when its session ends another goes on', async t => {
  const database = await createDatabase()
  const { proxy, url } = await CuttingProxy.start(database.url)
  t.after(() => proxy.stop())
  const made = { first: 0, second: 0 }
  const counting = (node: keyof typeof made) => ({
    ...silentMetrics,
    count: (name: string) => {
      if (name === 'search_index_chunks') made[node]++
    },
  })
  const first = await openNode(t, url, { metrics: counting('first') })
  const account = await addAccount(first)
  await first.maintain()
  const second = await openNode(t, database.url, { metrics: counting('second') })
  await fill(second, account, 1, 200)
  await second.maintain()
  assert.equal(made.second, 0)
  await first.maintain()
  assert.deepEqual(made, { first: 3, second: 0 })
  // It dies with a chunk half written.
  proxy.decide = (from, chunk) => (from === 'client' && chunk.includes('head/at') ? 'cut-before' : 'pass')
  await fill(second, account, 201, 270)
  await first.maintain()
  assert.ok(proxy.cuts > 0)
  const { open: reopen } = await proxy.shut()
  await check(second.searchIndex, { account, count: 270 })
  // The server notices in its own time that the connection is gone.
  while (made.second === 0) await second.maintain()
  assert.ok((await check(second.searchIndex, { account, count: 270 })) > 4 * 240)
  proxy.decide = () => 'pass'
  await reopen()
  assert.ok((await check(first.searchIndex, { account, count: 270 })) > 4 * 240)
})

const harms: readonly (readonly [name: string, sql: string])[] = [
  ['all of it removed', 'DELETE FROM search_chunk'],
  ['a chunk removed', 'DELETE FROM search_chunk WHERE number = 1'],
  ['dictionaries removed', `DELETE FROM search_piece WHERE name = 'body'`],
  ['fields removed', `DELETE FROM search_piece WHERE name LIKE ':%' AND number = 1`],
  ['damaged pieces', `UPDATE search_piece SET data = '\\x00' || data`],
  ['damaged heads', `UPDATE search_chunk SET head = head || '\\x20'`],
  ['pieces of another time', 'UPDATE search_piece SET stamp = stamp + 1'],
  [
    'chunks of an older program',
    `UPDATE search_chunk SET version = 0; UPDATE counter SET value = 0 WHERE name = 'search-index'`,
  ],
]

test('an index with rows that are missing, damaged or of another version is never wrong, and is made anew', async t => {
  const { database, store: first, ...filled } = await startIndexed(t)
  await first.close()
  for (const [name, sql] of harms) {
    await database.query(sql)
    // Nothing is in its memory.
    const reading = await openReading(t, database.url)
    await check(reading.searchIndex, filled)
    const store = await openNode(t, database.url)
    await store.maintain()
    await check(store.searchIndex, filled)
    await store.maintain()
    for (const { searchIndex } of [store, reading]) assert.ok((await check(searchIndex, filled)) > 700, name)
    await reading.close()
    await store.close()
  }
})

test('the index of a newer program is left alone', async t => {
  const { database, store: first, ...filled } = await startIndexed(t)
  await first.close()
  await database.query(
    `UPDATE search_chunk SET version = 99; UPDATE counter SET value = 99 WHERE name = 'search-index'`,
  )
  const store = await openNode(t, database.url)
  await store.maintain()
  assert.equal(await check(store.searchIndex, filled), 0)
  const [row] = await database.query('SELECT min(version) AS version FROM search_chunk')
  assert.equal(Number(row?.['version']), 99)
})

test('what was expunged is taken out of the index, and an account that is removed leaves nothing', async t => {
  const clock = { ms: Date.now(), now: () => clock.ms }
  const { database, store, account, count } = await startIndexed(t, { clock })
  const other = await openReading(t, database.url)
  assert.ok((await check(other.searchIndex, { account, count })) > 700)
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('expungeMessages', { account, mailbox, uids: [[70, 80]], onlyDeleted: false })
  await store.maintain()
  const gone = new Set(Array.from({ length: 11 }, (_unused, at) => 70 + at))
  assert.ok((await check(other.searchIndex, { account, count }, gone)) > 600)
  clock.ms += limits.store.orphanGraceMs
  await store.maintain()
  assert.ok((await check(other.searchIndex, { account, count }, gone)) > 600)
  const rows = await database.query(
    `SELECT convert_from(data, 'UTF8') AS words FROM search_piece WHERE name = 'body'`,
  )
  const words = rows.map(row => row['words']).join('')
  assert.ok(words.includes('BODY81X') && !words.includes('BODY77X'))
  await store.mutate('beginAccountRemoval', { account })
  while (!(await store.mutate('purgeAccount', { account, limit: 1000 })).isDone);
  for (const table of ['search_chunk', 'search_piece', 'search_swept'])
    assert.equal(await countOf(database, table), 0, table)
})

const letters = Array.from('aAbB1 .-éß日本Σ')
const texts = fc.string({ unit: fc.constantFrom(...letters), maxLength: 20 })

test('over random texts, expunges and states of the index no answer differs from a look at the text', async t => {
  const database = await createDatabase()
  const store = await openNode(t, database.url)
  const reading = await openReading(t, database.url)
  let decided = 0
  const property = fc.asyncProperty(
    fc.array(texts, { minLength: 64, maxLength: 200 }),
    fc.nat(150),
    fc.array(texts, { minLength: 10, maxLength: 10 }),
    async (bodies, reach, needles) => {
      const account = await addAccount(store)
      const textOf = (id: number) => bodies[id - 1] as string
      const seen = Math.min(reach + 1, bodies.length)
      await fill(store, account, 1, seen, textOf)
      await store.maintain()
      if (seen < bodies.length) await fill(store, account, seen + 1, bodies.length, textOf)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const look = async () => {
        const ids = Float64Array.from(bodies, (_body, at) => at + 1)
        for (const asked of needles) {
          const needle = folding.fold(asked.slice(0, 3))
          const query = { kind: 'text', needle, inHeaders: false } as const
          const found = await reading.searchIndex.answer(account, query, folding, ids, () => {})
          for (const [at, answer] of found.entries()) {
            if (answer !== 1) decided++
            const holds = folding.fold(bodies[at] as string).includes(needle)
            assert.notEqual(answer, holds ? 0 : 2, JSON.stringify({ needle, body: bodies[at] }))
          }
        }
      }
      await look()
      await store.mutate('expungeMessages', { account, mailbox, uids: [[5, 40]], onlyDeleted: false })
      await store.maintain()
      await look()
    },
  )
  await fc.assert(property, { numRuns: 6 })
  assert.ok(decided > 1000, `${decided} decided`)
})
