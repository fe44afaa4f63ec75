import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import nodeTest, { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { summarize } from '../../src/message/summary.ts'
import { noFlags } from '../../src/store/flags.ts'
import { leastCacheBytes } from '../../src/store/s3/body-cache.ts'
import { contentOf, S3Client } from '../../src/store/s3/client.ts'
import { checkDatabase } from '../../src/store/postgres/check-database.ts'
import { openPostgres } from '../../src/store/postgres/open-postgres.ts'
import { createDatabase } from '../postgres/database.ts'
import { storeConformance } from './conformance.ts'
import { addAccount, mail, mailboxId } from './fixture.ts'
import { startS3 } from './s3/s3-server.ts'

const database = await createDatabase()
const server = await startS3(nodeTest)
const bucket = { ...server.place, cacheBytes: leastCacheBytes }

storeConformance('on PostgreSQL with bodies in S3', async (t, options) => {
  const store = await openPostgres({ url: database.url, bucket }, options)
  t.after(() => store.close())
  return store
})

test('a body that is in S3 before its transaction fails leaves no row, and the mail is refused for now', async t => {
  const store = await openPostgres({ url: database.url, bucket })
  t.after(() => store.close())
  t.after(() => {
    server.fault = undefined
  })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  server.fault = ({ method }) =>
    method === 'PUT' ? { kind: 'refuse', status: 403, code: 'AccessDenied' } : undefined
  const append = () => store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
  await assert.rejects(append(), { code: 'unavailable' })
  assert.equal((await store.snapshot(account, mailbox)).count, 0)
  server.fault = undefined
  await append()
  assert.equal((await store.snapshot(account, mailbox)).count, 1)
})

test('bodies that came before the bucket stay readable, and those in the bucket are refused without it', async t => {
  const plain = await openPostgres({ url: database.url })
  const withBucket = await openPostgres({ url: database.url, bucket })
  t.after(() => Promise.all([plain.close(), withBucket.close()]))
  const account = await addAccount(plain)
  const mailbox = await mailboxId(plain, account, 'INBOX')
  const old = mail(plain, 'old')
  const recent = mail(plain, 'recent')
  await plain.mutate('appendMessages', { account, mailbox, messages: [old] })
  await withBucket.mutate('appendMessages', { account, mailbox, messages: [recent] })
  assert.equal((await withBucket.readBody(account, old.body.hash)).length, old.email.sizeBytes)
  assert.equal((await withBucket.readBody(account, recent.body.hash)).length, recent.email.sizeBytes)
  await assert.rejects(async () => plain.readBody(account, recent.body.hash), {
    code: 'unavailable',
    message: /names no bucket/,
  })
})

test('the sweep takes what no row refers to, on one node at a time and once a day', async t => {
  let now = Date.now()
  const clock = { now: () => now }
  const { Sweeper } = await import('../../src/store/postgres/sweeper.ts')
  const { SessionOpener } = await import('../../src/store/postgres/session-pool.ts')
  const { parseTarget } = await import('../../src/store/postgres/target.ts')
  const { silentLog } = await import('../../src/base/log.ts')
  const own = { ...bucket, prefix: 'sweep/' }
  const store = await openPostgres({ url: database.url, bucket: own }, { clock })
  t.after(() => store.close())
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const bytes = Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), randomBytes(300_000)])
  const large = { body: store.bodyOf(bytes), email: summarize(bytes), flags: noFlags }
  await store.mutate('appendMessages', { account, mailbox, messages: [mail(store, 'one'), large] })
  await assert.rejects(
    store.mutate('appendMessages', { account, mailbox: 999 as never, messages: [mail(store, 'lost')] }),
    { code: 'no-such-mailbox' },
  )
  const client = new S3Client(own)
  t.after(() => client.close())
  assert.equal((await client.list()).objects.length, 3)
  // S3's clock a day and more later.
  const later: S3Client = Object.assign(Object.create(client) as S3Client, {
    list: async (after?: string) => ({
      ...(await client.list(after)),
      serverNow: Date.now() + limits.s3.graceMs + 60_000,
    }),
    deleteMany: (names: readonly string[]) => client.deleteMany(names),
  })
  const sweeper = (each: S3Client) =>
    new Sweeper({
      client: each,
      opener: new SessionOpener({ targets: parseTarget(database.url), log: silentLog }),
      reader: store.reader,
      clock,
      log: silentLog,
      signal: new AbortController().signal,
    })
  assert.deepEqual(await sweeper(client).run(), { seen: 3, removed: 0, freedBytes: 0 })
  assert.equal(await sweeper(later).run(), undefined)
  now += limits.s3.sweepMs
  const reports = await Promise.all([sweeper(later).run(), sweeper(later).run()])
  assert.equal(reports.filter(report => report?.removed === 1).length, 1)
  assert.equal((await client.list()).objects.length, 2)
  assert.deepEqual(await store.readBody(account, large.body.hash), bytes)
})

test('check reads every object, and tells of one that is gone and one that is another', async t => {
  const { url } = await createDatabase()
  const own = { ...bucket, prefix: 'check/' }
  const store = await openPostgres({ url, bucket: own })
  t.after(() => store.close())
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const bytes = Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), randomBytes(1_100_000)])
  const large = { body: store.bodyOf(bytes), email: summarize(bytes), flags: noFlags }
  await store.mutate('appendMessages', {
    account,
    mailbox,
    messages: [mail(store, 'one'), mail(store, 'two'), large],
  })
  const whole = await checkDatabase({ url, bucket: own })
  assert.deepEqual([whole.findings, whole.bodies], [[], 3])
  await assert.rejects(checkDatabase({ url }), { code: 'unavailable' })
  const client = new S3Client(own)
  t.after(() => client.close())
  const objects = (await client.list()).objects.toSorted((a, b) => a.sizeBytes - b.sizeBytes)
  const [gone, , changed] = objects
  await client.deleteMany([gone?.name as string])
  const other = Buffer.from(bytes)
  other[1_099_999] = (other[1_099_999] ?? 0) ^ 1
  await client.put(changed?.name as string, contentOf(other))
  const damaged = await checkDatabase({ url, bucket: own })
  assert.deepEqual(damaged.findings.map(({ severity, kind }) => `${severity} ${kind}`).toSorted(), [
    'damage body-hash',
    'damage object-missing',
  ])
})
