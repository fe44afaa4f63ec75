// Short mutations of several accounts in one transaction on PostgreSQL.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import type { AccountId, MailboxId } from '../../src/base/ids.ts'
import { openPostgres } from '../../src/store/postgres/open-postgres.ts'
import type { Store } from '../../src/store/store.ts'
import { CuttingProxy } from '../postgres/cutting-proxy.ts'
import { createDatabase, type TestDatabase } from '../postgres/database.ts'
import { addAccount, mail, mailboxId } from './fixture.ts'

interface Box {
  readonly account: AccountId
  readonly mailbox: MailboxId
}

interface Site {
  readonly database: TestDatabase
  readonly store: Store
  readonly boxes: readonly [Box, Box, Box]
}

async function open(t: TestContext, url?: string, database?: TestDatabase): Promise<Site> {
  const own = database ?? (await createDatabase())
  const store = await openPostgres({ url: url ?? own.url })
  t.after(() => store.close())
  const box = async (): Promise<Box> => {
    const account = await addAccount(store, { quotaMessages: 5 })
    return { account, mailbox: await mailboxId(store, account, 'INBOX') }
  }
  return { database: own, store, boxes: [await box(), await box(), await box()] }
}

function append(store: Store, { account, mailbox }: Box, count = 1): Promise<unknown> {
  const messages = Array.from({ length: count }, () => mail(store))
  return store.mutate('appendMessages', { account, mailbox, messages })
}

async function commits({ database }: Site): Promise<number> {
  const [row] = await database.query('SELECT count(*) AS total FROM commit_mark')
  return Number(row?.['total'])
}

async function counts({ store, boxes }: Site): Promise<number[]> {
  return Promise.all(
    boxes.map(async ({ account, mailbox }) => (await store.snapshot(account, mailbox)).count),
  )
}

test('mail for several accounts that comes at once is one transaction, each account in its order', async t => {
  const site = await open(t)
  const { store, boxes } = site
  const [a, b, c] = boxes
  const before = await commits(site)
  const uids = await Promise.all(
    [a, b, a, c].map(async ({ account, mailbox }) => {
      const { uids: given } = await store.mutate('appendMessages', {
        account,
        mailbox,
        messages: [mail(store)],
      })
      return given[0]
    }),
  )
  assert.deepEqual(uids, [1, 1, 2, 1])
  assert.deepEqual(await counts(site), [2, 1, 1])
  assert.equal((await commits(site)) - before, 1)
})

test('an account that refuses its mail keeps nobody from theirs, and then has transactions of its own', async t => {
  const site = await open(t)
  const { store, boxes } = site
  const [a, b, c] = boxes
  const round = () => Promise.allSettled([append(store, a), append(store, b, 6), append(store, c)])
  const outcomes = await round()
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await counts(site), [1, 0, 1])
  const before = await commits(site)
  await round()
  assert.deepEqual(await counts(site), [2, 0, 2])
  assert.equal((await commits(site)) - before, 1)
})

test('a delivery that fails in part is undone in part, whoever it came with', async t => {
  const site = await open(t)
  const { store, boxes } = site
  const [a, b] = boxes
  await append(store, b, 5)
  const deliver = async ({ account }: Box) => {
    const { body, email, flags } = mail(store)
    const delivery = { account, mailbox: 'INBOX', body, email, flags }
    const { deliveries } = await store.mutate('acceptMessage', { deliveries: [delivery], messages: [] })
    return deliveries[0]
  }
  const [first, second] = await Promise.all([deliver(a), deliver(b)])
  assert.equal(first?.kind, 'stored')
  assert.deepEqual(second, { kind: 'failed', code: 'over-quota' })
  assert.deepEqual(await counts(site), [1, 5, 0])
})

test('nobody waits for an account that somebody else holds', async t => {
  const site = await open(t)
  const { database, store, boxes } = site
  const [a, b, c] = boxes
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  t.after(() => holder.end())
  await holder.query('BEGIN')
  await holder.query(`SELECT 1 FROM account WHERE id = ${a.account} FOR UPDATE`)
  let isStored = false
  const held = append(store, a).then(() => {
    isStored = true
  })
  await Promise.all([append(store, b), append(store, c)])
  // Nor while it waits for that account, alone or with others.
  await append(store, b)
  await Promise.all([append(store, b), append(store, c)])
  assert.equal(isStored, false)
  await holder.query('COMMIT')
  await held
  assert.deepEqual(await counts(site), [1, 3, 2])
})

for (const fate of ['cut-before', 'cut-after'] as const) {
  test(`mail of several accounts whose COMMIT is ${fate} is there once`, async t => {
    const database = await createDatabase()
    const { proxy, url } = await CuttingProxy.start(database.url)
    t.after(() => proxy.stop())
    const site = await open(t, url, database)
    const { store, boxes } = site
    let isCut = false
    proxy.decide = (from, chunk) => {
      if (isCut || from !== 'client' || !chunk.includes('COMMIT\0')) return 'pass'
      isCut = true
      return fate
    }
    await Promise.all(boxes.map(box => append(store, box)))
    assert.equal(proxy.cuts, 1)
    assert.deepEqual(await counts(site), [1, 1, 1])
  })
}
