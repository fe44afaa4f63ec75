import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Metrics } from '../../src/base/metrics.ts'
import { rehearsePop3 } from '../../src/pop3/rehearsal.ts'
import { listMailboxes } from '../../src/store/read/mailboxes.ts'
import { startServer } from './client.ts'

const mail = ['Subject: one\r\n\r\nHello\r\n.\r\n.dots\r\n', 'Subject: two\r\n\r\nno end of line']

test('a rehearsal runs each of its commands, on a maildrop with mail and on one without', async t => {
  const { context, deliver } = await startServer(t)
  assert.deepEqual(await rehearsePop3(context, () => true), [], 'an empty maildrop')
  await deliver(...mail)
  assert.deepEqual(await rehearsePop3(context, () => true), [], 'two messages')
})

test('a rehearsal leaves nothing behind: nothing \\Seen, no lock, no log-in, nothing counted or logged', async t => {
  const { context, store, account, deliver, logIn, logged } = await startServer(t, {
    pop3: { deleteAfterRetrieval: true, loginDelaySeconds: 60 },
  })
  await deliver(...mail)
  const before = await listMailboxes(store.reader, account)
  const counted: string[] = []
  const metrics: Metrics = {
    count: name => counted.push(name),
    gauge: name => counted.push(name),
    observe: name => counted.push(name),
  }
  assert.deepEqual(await rehearsePop3({ ...context, metrics }, () => true), [])
  assert.deepEqual(await listMailboxes(store.reader, account), before)
  assert.deepEqual(counted, [])
  assert.deepEqual(logged, [])
  const client = await logIn()
  assert.equal(await client.command('STAT'), `+OK 2 ${mail.join('').length}`)
  assert.deepEqual(await rehearsePop3(context, () => true), [], 'while the maildrop is locked')
})

test('a rehearsal leaves the rest out once somebody has come', async t => {
  const { context, deliver } = await startServer(t)
  await deliver(...mail)
  for (const left of [0, 1, 5]) {
    let asked = 0
    assert.deepEqual(await rehearsePop3(context, () => asked++ < left), [])
    assert.equal(asked, left + 1)
  }
})
