// The queue over many nodes: who puts mail into it waits for nobody, and the version before works beside.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { moveStore } from '../../src/store/move-store.ts'
import { serverAccount } from '../../src/store/mutations/enqueue-messages.ts'
import { openStore } from '../../src/store/open-store.ts'
import { openPostgres } from '../../src/store/postgres/open-postgres.ts'
import type { QueueId } from '../../src/store/queue-message.ts'
import type { Store } from '../../src/store/store.ts'
import { CuttingProxy } from '../postgres/cutting-proxy.ts'
import { createDatabase, type TestDatabase } from '../postgres/database.ts'
import { addAccount, mail, queued, temporaryFolder } from './fixture.ts'

async function openNode(t: TestContext, url: string, mayBeFilling = false): Promise<Store> {
  const store = await openPostgres({ url }, { mayBeFilling })
  t.after(() => store.close())
  return store
}

/** A session beside the nodes, in a transaction that ends with the test at the latest. */
async function begin(t: TestContext, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.after(() => client.end())
  await client.query('BEGIN')
  return client
}

/** Settles when a transaction of a node waits for a lock of another. */
async function someoneWaits(database: TestDatabase): Promise<void> {
  const sql = `SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`
  while ((await database.query(sql)).length === 0);
}

async function enqueue(store: Store, text: string): Promise<QueueId> {
  const [id] = await store.mutate('enqueueMessages', { messages: [queued(store, text)] })
  return id as QueueId
}

test('two nodes put mail into the queue without waiting for one another, nor for who works on the queue', async t => {
  const database = await createDatabase()
  const [first, second] = [await openNode(t, database.url), await openNode(t, database.url)]
  const account = await addAccount(second)
  const known = await enqueue(first, 'held')
  const holder = await begin(t, database.url)
  // What leases hold, and what keeps the first node in its transaction.
  await holder.query('SELECT 1 FROM account WHERE id = 0 FOR UPDATE')
  await holder.query('SELECT 1 FROM blob WHERE account = 0 FOR UPDATE')
  const waiting = enqueue(first, 'held')
  await someoneWaits(database)
  const alone = await enqueue(second, 'other')
  const { body, email, flags } = mail(second)
  const accepted = await second.mutate('acceptMessage', {
    deliveries: [{ account, mailbox: 'INBOX', body, email, flags }],
    messages: [queued(second, 'third')],
  })
  assert.equal(accepted.deliveries[0]?.kind, 'stored')
  await holder.query('COMMIT')
  assert.equal(new Set([known, alone, await waiting, ...accepted.queued]).size, 4)
})

test('a node hears of mail that another put into the queue, and not of a modSeq', async t => {
  const { url } = await createDatabase()
  const [first, second] = [await openNode(t, url), await openNode(t, url)]
  const heard = Promise.withResolvers<number>()
  second.watch(serverAccount, ({ modSeq }) => heard.resolve(modSeq))
  await enqueue(first, 'news')
  assert.equal(await heard.promise, 0)
})

test('numbers stay apart from those of the version before, which runs on beside', async t => {
  const database = await createDatabase()
  const before = await openNode(t, database.url)
  // As the version before left it: its numbers are the modSeqs of the server's account.
  await database.query(`DROP SEQUENCE queue_id; DELETE FROM postgres_schema_version WHERE version >= 6`)
  const old = async () => {
    const [row] = await database.query(`
      WITH next AS (UPDATE account SET mod_seq = mod_seq + 1 WHERE id = 0 RETURNING mod_seq)
      INSERT INTO queue_message (id, blob, body_bytes, mail_from, skip_bytes, prefix, body_type, smtp_utf8, message_id, created_at, expires_at)
      SELECT mod_seq, '\\x00', 1, '', 0, '', '7BIT', 0, '', 0, 0 FROM next RETURNING id`)
    return Number(row?.['id'])
  }
  await before.close()
  const ids = [await old(), await old()]
  const store = await openNode(t, database.url)
  for (let at = 0; at < 5; at++) ids.push(await old(), await enqueue(store, `new ${at}`))
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(ids.slice(2).every((id, at) => at % 2 === 0 || id > 1_000_000_000))
})

test('a store that is moved gives numbers in the queue that none of its messages has, there and back', async t => {
  const first = await openNode(t, (await createDatabase()).url)
  const ids = [await enqueue(first, 'one'), await enqueue(first, 'two')]
  const folder = await openStore({ dataDir: temporaryFolder(t) }, { mayBeFilling: true })
  t.after(() => folder.close())
  await moveStore(first, folder)
  ids.push(await enqueue(folder, 'three'))
  const second = await openNode(t, (await createDatabase()).url, true)
  await moveStore(folder, second)
  ids.push(await enqueue(second, 'four'))
  assert.deepEqual(
    ids,
    [...new Set(ids)].toSorted((a, b) => a - b),
  )
})

for (const fate of ['cut-before', 'cut-after'] as const) {
  test(`mail whose COMMIT is ${fate} is in the queue once`, async t => {
    const database = await createDatabase()
    const { proxy, url } = await CuttingProxy.start(database.url)
    t.after(() => proxy.stop())
    const store = await openNode(t, url)
    await enqueue(store, 'first')
    let isCut = false
    proxy.decide = (from, chunk) => {
      if (isCut || from !== 'client' || !chunk.includes('COMMIT\0')) return 'pass'
      isCut = true
      return fate
    }
    const id = await enqueue(store, 'second')
    assert.equal(proxy.cuts, 1)
    const rows = await database.query('SELECT id FROM queue_message ORDER BY id')
    assert.equal(rows.length, 2)
    assert.equal(Number(rows[1]?.['id']), id)
  })
}
