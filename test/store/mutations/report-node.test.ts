import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/base/limits.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { listNodes } from '../../../src/store/read/node.ts'

test('a node that says nothing for long is forgotten when another one speaks', async t => {
  let now = 10 ** 12
  const store = await openStore({ memory: true }, { clock: { now: () => now } })
  t.after(() => store.close())
  const report = (id: string, sessions: number) =>
    store.mutate('reportNode', {
      id,
      host: 'h',
      version: '1.0.0',
      schema: 4,
      startedAt: now,
      sessions,
      commits: 7,
    })
  await report('a', 1)
  await report('b', 2)
  now += limits.node.forgottenMs
  await report('b', 3)
  assert.deepEqual(
    (await listNodes(store.reader)).map(({ id, sessions, seenAt }) => [id, sessions, seenAt]),
    [
      ['a', 1, 10 ** 12],
      ['b', 3, now],
    ],
  )
  now += 1
  await report('b', 4)
  assert.deepEqual(
    (await listNodes(store.reader)).map(({ id }) => id),
    ['b'],
  )
  await store.mutate('forgetNode', { id: 'b' })
  assert.deepEqual(await listNodes(store.reader), [])
})
