import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routeOf } from '../../src/store/postgres/lanes.ts'

test('a mutation goes into the lane of the lowest account that it locks, alone when there are more', () => {
  assert.deepEqual(routeOf('appendMessages', { account: 7, mailbox: 1 }), { lane: 7, isAlone: false })
  assert.deepEqual(routeOf('copyMessages', { account: 7, mailbox: 1, target: 2 }), {
    lane: 7,
    isAlone: false,
  })
  const transfer = { actor: 9, source: { account: 8, mailbox: 1 }, target: { account: 3, mailbox: 1 } }
  assert.deepEqual(routeOf('transferMessages', transfer), { lane: 3, isAlone: true })
  assert.deepEqual(routeOf('asGuest', { guest: 2, needs: [{ account: 5 }, { account: 5 }] }), {
    lane: 5,
    isAlone: false,
  })
  const deliveries = [{ account: 4 }, { account: 2 }]
  assert.deepEqual(routeOf('deliverMessages', { deliveries }), { lane: 2, isAlone: true })
})

test('what puts mail into the queue alone has a lane without a lock, what works on the queue locks its account, what looks at the directory as a whole that', () => {
  const deliveries = [{ account: 4 }]
  assert.deepEqual(routeOf('acceptMessage', { deliveries, messages: [] }), { lane: 4, isAlone: false })
  assert.deepEqual(routeOf('acceptMessage', { deliveries, messages: [{}] }), { lane: 4, isAlone: false })
  const queue = { lane: 'queue', isAlone: false }
  assert.deepEqual(routeOf('acceptMessage', { deliveries: [], messages: [{}] }), queue)
  assert.deepEqual(routeOf('enqueueMessages', { messages: [{}] }), queue)
  assert.deepEqual(routeOf('leaseQueue', {}), { lane: 0, isAlone: false })
  assert.deepEqual(routeOf('createAlias', {}), { lane: 'directory', isAlone: false })
})
