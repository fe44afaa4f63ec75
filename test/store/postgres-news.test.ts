import assert from 'node:assert/strict'
import { on } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { MessagePort } from 'node:worker_threads'
import type { AccountId } from '../../src/base/ids.ts'
import { silentLog } from '../../src/base/log.ts'
import { AccountCounts } from '../../src/store/account-counts.ts'
import type { FromHub, ToHub } from '../../src/store/postgres/news.ts'
import { NewsHub } from '../../src/store/postgres/news-hub.ts'
import { openPostgres } from '../../src/store/postgres/open-postgres.ts'
import type { ChangeHint, Store } from '../../src/store/store.ts'
import { createDatabase } from '../postgres/database.ts'
import { addAccount, mail, mailboxId } from './fixture.ts'

/** Databases differ, so that nobody hears of what another test does. */
async function startHub(t: TestContext) {
  const { url, query } = await createDatabase()
  const hub = await NewsHub.start({ url }, silentLog)
  t.after(() => hub.close())
  const open = async (place: { readonly news?: MessagePort } = {}) => {
    const store = await openPostgres({ url, ...place })
    t.after(() => store.close())
    return store
  }
  const listeners = async () => {
    const rows = await query(`SELECT pid FROM pg_stat_activity WHERE datname = current_database()
      AND pid <> pg_backend_pid() AND (query LIKE '%LISTEN%' OR query LIKE '%pg_notify%')`)
    return rows.map(({ pid }) => Number(pid))
  }
  return { hub, query, open, listeners }
}

const hintOf = (store: Store, account: AccountId) =>
  new Promise<ChangeHint>(resolve => {
    const stop = store.watch(account, hint => {
      stop()
      resolve(hint)
    })
  })

const wordOf = (store: Store) =>
  new Promise<string>(resolve => {
    store.nodes?.hear(resolve)
  })

async function append(store: Store, account: AccountId): Promise<ChangeHint> {
  const mailbox = await mailboxId(store, account, 'INBOX')
  const { modSeq } = await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
  return { account, modSeq }
}

test('stores of one process hear one another and those of others over one session', async t => {
  const { hub, open, listeners } = await startHub(t)
  const one = await open({ news: hub.connect() })
  const two = await open({ news: hub.connect() })
  assert.equal((await listeners()).length, 1)
  const apart = await open()
  const account = await addAccount(one)
  for (const teller of [one, apart]) {
    const others = [one, two, apart].filter(store => store !== teller)
    const heard = others.map(store => hintOf(store, account))
    const words = others.map(wordOf)
    const told = await append(teller, account)
    teller.nodes?.tell('hello')
    assert.deepEqual(await Promise.all(heard), [told, told])
    assert.deepEqual(await Promise.all(words), ['hello', 'hello'])
  }
})

test('a store is told of the accounts that it watches, and of no others', async t => {
  const { hub, open } = await startHub(t)
  const apart = await open()
  const [one, two] = [await addAccount(apart), await addAccount(apart)]
  const watched = new AccountCounts()
  watched.add(two)
  const port = hub.connect()
  port.postMessage({ kind: 'hello', watched: watched.buffer, gatherHintsMs: 0 } satisfies ToHub)
  // Until the hub has read this greeting it tells everything, also of the accounts above; what comes after these two words is told by it.
  const told = on(port, 'message') as AsyncIterator<[FromHub]>
  const next = async () => (await told.next()).value[0] as FromHub
  port.postMessage({ kind: 'news', hints: [], words: ['greeted'] } satisfies ToHub)
  assert.equal(await wordOf(apart), 'greeted')
  apart.nodes?.tell('heard')
  while ((await next()).kind !== 'word');
  await append(apart, one)
  const { modSeq } = await append(apart, two)
  const hints: ChangeHint[] = [{ account: two, modSeq }]
  assert.deepEqual(await next(), { kind: 'hints', hints } satisfies FromHub)
})

test('after a gap in listening every store of the process is told to look', async t => {
  const { hub, query, open, listeners } = await startHub(t)
  const stores = [await open({ news: hub.connect() }), await open({ news: hub.connect() })]
  const account = await addAccount(stores[0] as Store)
  const heard = stores.map(store => hintOf(store, account))
  const [pid] = await listeners()
  await query(`SELECT pg_terminate_backend(${pid})`)
  const gap = { account, modSeq: 0 }
  assert.deepEqual(await Promise.all(heard), [gap, gap])
  // It listens again.
  const apart = await open()
  const again = hintOf(stores[0] as Store, account)
  assert.deepEqual(await append(apart, account), await again)
})

test('what a store said last is told before the hub ends', async t => {
  const { hub, open } = await startHub(t)
  const apart = await open()
  const word = wordOf(apart)
  const port = hub.connect()
  port.postMessage({ kind: 'news', hints: [], words: ['farewell'] } satisfies ToHub)
  port.close()
  await hub.close()
  assert.equal(await word, 'farewell')
})
