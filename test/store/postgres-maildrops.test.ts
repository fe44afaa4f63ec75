// Leases of maildrops, between stores on one PostgreSQL database. RFC 1939 §4; RFC 2449 §6.5.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { AccountId } from '../../src/base/ids.ts'
import { silentLog } from '../../src/base/log.ts'
import { allocateMaildropLocks, MaildropLocks } from '../../src/pop3/maildrop-locks.ts'
import { openStore } from '../../src/store/open-store.ts'
import { MaildropLeases } from '../../src/store/postgres/maildrop-leases.ts'
import { manualClock } from '../account/manual-clock.ts'
import { createDatabase } from '../postgres/database.ts'

const { url, query } = await createDatabase()
const clock = manualClock()
const stores = await Promise.all([openStore({ url }, { clock }), openStore({ url }, { clock })])
after(() => Promise.all(stores.map(store => store.close())))

const [one, two] = stores.map(({ reader }) => new MaildropLeases({ reader, clock, log: silentLog })) as [
  MaildropLeases,
  MaildropLeases,
]
let accounts = 0

async function account(): Promise<AccountId> {
  const id = 100 + accounts++
  await query(
    `INSERT INTO account (id, address, next_uid_validity, created_at) VALUES (${id}, 'u${id}', 1, 0)`,
  )
  return id as AccountId
}

test('what one node has is in use on all, until it gives it back', async () => {
  const ann = await account()
  assert.equal(await one.take(ann, 0), 'held')
  assert.equal(await two.take(ann, 0), 'in-use')
  assert.equal(await one.take(ann, 0), 'in-use')
  assert.equal(await two.take(await account(), 0), 'held')
  await two.release(ann)
  assert.equal(await two.take(ann, 0), 'in-use')
  await one.release(ann)
  assert.equal(await two.take(ann, 0), 'held')
  await two.release(ann)
})

test('of those who ask at once one has it', async () => {
  const ann = await account()
  const asked = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? one : two).take(ann, 0))
  assert.deepEqual((await Promise.all(asked)).filter(outcome => outcome !== 'in-use').length, 1)
  await Promise.all([one.release(ann), two.release(ann)])
})

test('a lease is renewed; that of a node which died runs out after a minute, and does not come back', async () => {
  const ann = await account()
  assert.equal(await one.take(ann, 0), 'held')
  clock.advance(50_000)
  await one.renew()
  clock.advance(50_000)
  assert.equal(await two.take(ann, 0), 'in-use')
  clock.advance(10_000)
  assert.equal(await two.take(ann, 0), 'held')
  await one.renew()
  await one.release(ann)
  assert.equal(await one.take(ann, 0), 'in-use')
  await two.release(ann)
})

test('what a failover has emptied is taken anew with the next renewal, and given back as usual', async () => {
  const ann = await account()
  assert.equal(await one.take(ann, 0), 'held')
  await query('TRUNCATE maildrop_lease')
  await one.renew()
  assert.equal(await two.take(ann, 0), 'in-use')
  await Promise.all([one.renew(), one.release(ann)])
  await one.renew()
  assert.equal(await two.take(ann, 0), 'held')
  await two.release(ann)
})

test('LOGIN-DELAY counts from the log-in, on whatever node, however long the session was', async () => {
  const ann = await account()
  assert.equal(await one.take(ann, 100), 'held')
  clock.advance(50_000)
  await one.renew()
  clock.advance(40_000)
  await one.release(ann)
  assert.equal(await two.take(ann, 100), 'too-soon')
  clock.advance(10_000)
  assert.equal(await two.take(ann, 100), 'held')
  await two.release(ann)
})

test('an attempt that found the maildrop in use on another node does not count for LOGIN-DELAY', async () => {
  const ann = await account()
  const locks = [one, two].map(leases => new MaildropLocks(clock, allocateMaildropLocks(), leases))
  const [here, there] = locks as [MaildropLocks, MaildropLocks]
  const held = await here.acquire(ann, 100)
  assert.equal(held.kind, 'held')
  clock.advance(20_000)
  assert.equal((await there.acquire(ann, 100)).kind, 'in-use')
  if (held.kind === 'held') await held.release()
  assert.equal((await there.acquire(ann, 100)).kind, 'too-soon')
  clock.advance(80_000)
  const next = await there.acquire(ann, 100)
  assert.equal(next.kind, 'held')
  if (next.kind === 'held') await next.release()
})

test('a store that closes gives back what it has', async () => {
  const ann = await account()
  const third = await openStore({ url }, { clock })
  assert.equal(await third.nodes?.maildrops.take(ann, 0), 'held')
  assert.equal(await one.take(ann, 0), 'in-use')
  await third.close()
  assert.equal(await one.take(ann, 0), 'held')
  await one.release(ann)
})
