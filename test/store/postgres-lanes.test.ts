import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { routeOf } from '../../src/store/postgres/lanes.ts'

const apart = { isAlone: false, isShort: false }

test('a mutation goes into the lane of the lowest account that it locks, alone when there are more', () => {
  assert.deepEqual(routeOf('expungeMessages', { account: 7, mailbox: 1 }), { lane: 7, ...apart })
  assert.deepEqual(routeOf('copyMessages', { account: 7, mailbox: 1, target: 2 }), { lane: 7, ...apart })
  const alone = { isAlone: true, isShort: false }
  const transfer = { actor: 9, source: { account: 8, mailbox: 1 }, target: { account: 3, mailbox: 1 } }
  assert.deepEqual(routeOf('transferMessages', transfer), { lane: 3, ...alone })
  assert.deepEqual(routeOf('asGuest', { guest: 2, needs: [{ account: 5 }, { account: 5 }] }), {
    lane: 5,
    ...apart,
  })
  const deliveries = [{ account: 4 }, { account: 2 }]
  assert.deepEqual(routeOf('deliverMessages', { deliveries }), { lane: 2, ...alone })
})

test('what puts mail into the queue alone has a lane without a lock, what works on the queue locks its account, what looks at the directory as a whole that', () => {
  const queue = { lane: 'queue', ...apart }
  assert.deepEqual(routeOf('acceptMessage', { deliveries: [], messages: [{}] }), queue)
  assert.deepEqual(routeOf('enqueueMessages', { messages: [{}] }), queue)
  assert.deepEqual(routeOf('leaseQueue', {}), { lane: 0, ...apart })
  assert.deepEqual(routeOf('createAlias', {}), { lane: 'directory', ...apart })
})

test('a little mail for one account is short, much of it or a large body is not', () => {
  const message = (bytes: number) => ({ body: { kind: 'inline', hash: '', bytes: new Uint8Array(bytes) } })
  const staged = { body: { kind: 'staged', hash: '', sizeBytes: 1_000_000, file: '' } }
  const isShort = (messages: readonly unknown[]) =>
    routeOf('appendMessages', { account: 7, messages }).isShort
  const { chunkBytes, shortMessages } = limits.postgres
  const few = Array.from({ length: shortMessages }, () => message(10))
  assert.equal(isShort(few), true)
  assert.equal(isShort([...few, message(10)]), false)
  assert.equal(isShort([message(chunkBytes)]), true)
  assert.equal(isShort([message(chunkBytes + 1)]), false)
  assert.equal(isShort([staged]), false)
  const delivery = { account: 4, ...message(10) }
  assert.deepEqual(routeOf('acceptMessage', { deliveries: [delivery], messages: [message(10)] }), {
    lane: 4,
    isAlone: false,
    isShort: true,
  })
})
