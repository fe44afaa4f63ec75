import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { systemClock } from '../../../src/base/clock.ts'
import { limits } from '../../../src/base/limits.ts'
import { silentLog } from '../../../src/base/log.ts'
import { silentMetrics } from '../../../src/base/metrics.ts'
import { IndexerService } from '../../../src/server/indexer-service.ts'
import { openStorage } from '../../../src/server/storage.ts'
import { storeConfigSchema } from '../../../src/store/config.ts'
import { openStore } from '../../../src/store/open-store.ts'
import type { IndexQuery } from '../../../src/store/search/search-index.ts'
import { addAccount, mailboxId, temporaryFolder } from '../fixture.ts'
import { check, fill, type Filled, folding } from './numbered-emails.ts'

/** A folder with an account of `count` emails, and no index. */
async function filledFolder(t: TestContext, count: number): Promise<Filled & { readonly dataDir: string }> {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  const account = await addAccount(store)
  await fill(store, account, 1, count)
  await store.close()
  return { dataDir, account, count }
}

test('chunks are made of whole runs of emails, and small ones become large ones', async t => {
  const store = await openStore({ memory: true }, { searchIndex: true })
  t.after(() => store.close())
  const account = await addAccount(store)
  await fill(store, account, 1, 62)
  await store.maintain()
  assert.equal(await check(store.searchIndex, { account, count: 62 }), 0)
  await fill(store, account, 63, 1000)
  await store.maintain()
  // Of the emails from 1 on the first chunk holds 63.
  assert.ok((await check(store.searchIndex, { account, count: 1000 })) >= 4 * 900)
  await fill(store, account, 1001, 1100)
  await store.maintain()
  assert.ok((await check(store.searchIndex, { account, count: 1100 })) >= 4 * 1000)
})

test('an index that is missing, damaged, of another version or of another store is made anew, and is never wrong meanwhile', async t => {
  const filled = await filledFolder(t, 200)
  const { dataDir } = filled
  const file = join(dataDir, 'search.db')
  const alter = (sql: string) => {
    const database = new DatabaseSync(file)
    database.exec(sql)
    database.close()
  }
  const harms: readonly (readonly [name: string, harm: () => void])[] = [
    ['new', () => {}],
    ['missing', () => rmSync(file)],
    [
      'no database',
      () => writeFileSync(file, 'this is not a database, whatever its name says. '.repeat(200)),
    ],
    ['of another version', () => alter('PRAGMA user_version = 99')],
    ['of another store', () => alter(`UPDATE search_store SET name = 'another'`)],
    ['with a damaged piece', () => alter(`UPDATE search_piece SET data = zeroblob(length(data))`)],
    ['with a damaged head', () => alter(`UPDATE search_chunk SET head = zeroblob(length(head))`)],
    ['cut off', () => writeFileSync(file, readFileSync(file).subarray(0, statSync(file).size / 2))],
  ]
  for (const [name, harm] of harms) {
    harm()
    const store = await openStore({ dataDir }, { searchIndex: true })
    await check(store.searchIndex, filled)
    await store.maintain()
    await check(store.searchIndex, filled)
    await store.maintain()
    assert.ok((await check(store.searchIndex, filled)) > 700, name)
    await store.close()
    assert.ok(existsSync(file))
  }
})

test('an index that is removed under a running store is made anew', async t => {
  const filled = await filledFolder(t, 200)
  const store = await openStore({ dataDir: filled.dataDir }, { searchIndex: true })
  t.after(() => store.close())
  await store.maintain()
  assert.ok((await check(store.searchIndex, filled)) > 700)
  for (const suffix of ['', '-wal', '-shm'])
    rmSync(join(filled.dataDir, `search.db${suffix}`), { force: true })
  assert.equal(await check(store.searchIndex, filled), 0)
  await store.maintain()
  assert.ok((await check(store.searchIndex, filled)) > 700)
})

test('an index that is newer than its store is forgotten: ids are given again to other emails', async t => {
  const { dataDir, account } = await filledFolder(t, 100)
  const later = temporaryFolder(t)
  cpSync(dataDir, later, { recursive: true })
  const first = await openStore({ dataDir }, { searchIndex: true })
  await fill(first, account, 101, 300, () => 'body77x rest3y')
  await first.maintain()
  await first.close()
  const second = await openStore({ dataDir: later })
  await fill(second, account, 101, 300)
  await second.close()
  cpSync(join(dataDir, 'search.db'), join(later, 'search.db'))
  const store = await openStore({ dataDir: later }, { searchIndex: true })
  t.after(() => store.close())
  await store.maintain()
  assert.ok((await check(store.searchIndex, { account, count: 300 })) > 900)
})

test('what was expunged is taken out of the index, and an account that is removed leaves nothing', async t => {
  const { dataDir, account, count } = await filledFolder(t, 200)
  const clock = { ms: Date.now(), now: () => clock.ms }
  const store = await openStore({ dataDir }, { searchIndex: true, clock })
  t.after(() => store.close())
  await store.maintain()
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('expungeMessages', { account, mailbox, uids: [[70, 80]], onlyDeleted: false })
  await store.maintain()
  const gone = new Set(Array.from({ length: 11 }, (_unused, at) => 70 + at))
  assert.ok((await check(store.searchIndex, { account, count }, gone)) > 600)
  clock.ms += limits.store.orphanGraceMs
  await store.maintain()
  assert.ok((await check(store.searchIndex, { account, count }, gone)) > 600)
  const file = new DatabaseSync(join(dataDir, 'search.db'))
  const held = () =>
    Buffer.concat(
      file
        .prepare('SELECT data FROM search_piece')
        .all()
        .map(row => row['data'] as Uint8Array),
    ).toString()
  assert.ok(held().includes('BODY81X') && !held().includes('BODY77X') && !held().includes('subject77z'))
  await store.mutate('beginAccountRemoval', { account })
  while (!(await store.mutate('purgeAccount', { account, limit: 1000 })).isDone);
  await store.maintain()
  assert.equal(held(), '')
  file.close()
})

test('what a search has in memory of a chunk is not read together with what took its place', async t => {
  const store = await openStore({ memory: true }, { searchIndex: true })
  t.after(() => store.close())
  const account = await addAccount(store)
  await fill(store, account, 1, 200)
  await store.maintain()
  const emails = Float64Array.from({ length: 200 }, (_unused, at) => at + 1)
  // Words that are nowhere: only the dictionaries are read.
  const nowhere: IndexQuery = { kind: 'text', needle: 'NOWHERE', inHeaders: true }
  await store.searchIndex.answer(account, nowhere, folding, emails, () => {})
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('expungeMessages', { account, mailbox, uids: [[65, 76]], onlyDeleted: false })
  await store.maintain()
  const gone = new Set(Array.from({ length: 12 }, (_unused, at) => 65 + at))
  assert.ok((await check(store.searchIndex, { account, count: 200 }, gone)) > 600)
})

test('a crash in the middle of indexing leaves no wrong answer, and the next start goes on', async t => {
  const filled = await filledFolder(t, 1500)
  for (let run = 0; run < 6; run++) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'indexing-child.ts'), filled.dataDir])
    let lines = 0
    const ended = new Promise(resolve => child.on('close', resolve))
    for await (const _line of createInterface({ input: child.stdout }))
      if (++lines === 2 + run * 4) child.kill('SIGKILL')
    await ended
    assert.ok(lines > 0)
    // Reads what the child has left, and makes nothing itself.
    const store = await openStore({ dataDir: filled.dataDir }, { searchIndex: true })
    await check(store.searchIndex, filled)
    await store.close()
  }
  const store = await openStore({ dataDir: filled.dataDir }, { searchIndex: true })
  t.after(() => store.close())
  await store.maintain()
  assert.ok((await check(store.searchIndex, filled)) > 4 * 1400)
})

test('the indexer is a thread of the server, and one that dies is followed by another', async t => {
  const filled = await filledFolder(t, 200)
  const config = {
    dataDir: filled.dataDir,
    threads: 1,
    quota: { bytes: null, messages: null },
    search: { index: true },
    store: storeConfigSchema.parse({}),
  }
  const parts = { clock: systemClock, log: silentLog, metrics: silentMetrics, onNewWriter: () => {} }
  let made = Promise.withResolvers<void>()
  const metrics = {
    ...silentMetrics,
    gauge: (name: string, value: number) => {
      if (name === 'search_index_waiting_emails' && value === 0) made.resolve()
    },
  }
  const storage = await openStorage({ ...parts, config, metrics })
  storage.startIndexer()
  await made.promise
  made = Promise.withResolvers()
  // It hears of what comes later.
  await fill(storage.store, filled.account, 201, 300)
  await made.promise
  const reading = await openStore(
    { dataDir: filled.dataDir, port: storage.connect() as MessagePort },
    { searchIndex: true },
  )
  assert.ok((await check(reading.searchIndex, { account: filled.account, count: 300 })) > 200)
  await reading.close()
  await storage.close()

  const died = Promise.withResolvers<void>()
  const again = Promise.withResolvers<void>()
  let starts = 0
  const service = new IndexerService({
    log: { ...silentLog, error: () => died.resolve() },
    metrics: silentMetrics,
    dataOf() {
      const { port1, port2 } = new MessageChannel()
      // What no writer would ever send.
      if (++starts === 1) port1.postMessage(null)
      else again.resolve()
      port1.unref()
      return { kind: 'folder', dataDir: filled.dataDir, writer: port2 }
    },
  })
  await died.promise
  await again.promise
  await service.close()
})
