// What every store must do with mail that leaves. RFC 5321 §4.5.4.1.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { serverAccount } from '../../src/store/mutations/enqueue-messages.ts'
import type { QueueId } from '../../src/store/queue-message.ts'
import { findQueueMessage, listQueue } from '../../src/store/read/queue.ts'
import type { Store } from '../../src/store/store.ts'
import type { StoreOpener } from './conformance.ts'
import { addAccount, mail, queued } from './fixture.ts'

const lease = { lease: 'test', leaseMs: 60_000, limit: 1000, perDomain: 1000, isLocalOnly: false }

async function deliver(store: Store, message: QueueId): Promise<void> {
  const reply = { host: 'mx.example.net', code: 250, status: '2.0.0', text: 'ok' }
  const { stale } = await store.mutate('recordAttempt', {
    message,
    lease: lease.lease,
    results: [{ recipient: 1, kind: 'delivered', reply }],
    deliveries: [],
    messages: [],
  })
  assert.deepEqual(stale, [])
}

export function queueConformance(name: string, open: StoreOpener): void {
  describe(`${name}: the queue`, () => {
    test('messages have ascending numbers, and who watches the queue hears of each commit', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const first = await store.mutate('enqueueMessages', { messages: [queued(store), queued(store)] })
      const heard = Promise.withResolvers<void>()
      t.after(store.watch(serverAccount, () => heard.resolve()))
      const { body, email, flags } = mail(store)
      const { queued: second } = await store.mutate('acceptMessage', {
        deliveries: [{ account, mailbox: 'INBOX', body, email, flags }],
        messages: [queued(store)],
      })
      await heard.promise
      const ids = [...first, ...second]
      assert.equal(new Set(ids).size, 3)
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      )
      const listed = await listQueue(store.reader, (ids[0] as QueueId) - 1)
      assert.deepEqual(
        listed.map(({ id }) => id),
        ids,
      )
    })

    test('a body stays until nobody waits for any of the messages that have it', async t => {
      const store = await open(t)
      const [first, second] = (await store.mutate('enqueueMessages', {
        messages: [queued(store, 'twice'), queued(store, 'twice')],
      })) as [QueueId, QueueId]
      const jobs = await store.mutate('leaseQueue', lease)
      assert.deepEqual(
        jobs.map(({ message }) => message).filter(message => message === first || message === second),
        [first, second],
      )
      const hash = (await findQueueMessage(store.reader, first))?.hash
      assert.ok(hash)
      await deliver(store, first)
      assert.match(String(await store.readBody(serverAccount, hash)), /twice/)
      await deliver(store, second)
      await assert.rejects(async () => store.readBody(serverAccount, hash), { code: 'no-such-body' })
    })

    test('a report that an attempt brings goes into the queue with what it ended with', async t => {
      const store = await open(t)
      const [id = 0] = await store.mutate('enqueueMessages', { messages: [queued(store, 'to fail')] })
      await store.mutate('leaseQueue', lease)
      await store.mutate('recordAttempt', {
        message: id,
        lease: lease.lease,
        results: [
          { recipient: 1, kind: 'failed', reply: { host: '', code: 550, status: '5.1.1', text: 'no' } },
        ],
        deliveries: [],
        messages: [queued(store, 'report')],
      })
      const waiting = (await listQueue(store.reader, id - 1)).map(message => message.id)
      assert.ok(!waiting.includes(id))
      assert.ok(waiting.some(other => other > id))
    })
  })
}
