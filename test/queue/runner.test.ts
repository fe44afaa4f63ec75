import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccount, createAlias, createDomain } from '../../src/account/directory.ts'
import { QueueRunner } from '../../src/queue/runner.ts'
import { parseMailbox } from '../../src/smtp/mailbox.ts'
import { serverAccount } from '../../src/store/mutations/enqueue-messages.ts'
import { countQueue, findQueueMessage, listAttempts } from '../../src/store/read/queue.ts'
import { remoteServer } from '../smtpclient/remote-server.ts'
import { withoutRecords } from './dying-store.ts'
import { setUpQueue } from './queue-setup.ts'

test('a queued message is sent without its Return-Path, and its body is let go', async t => {
  const setup = await setUpQueue(t)
  const remote = await remoteServer(t)
  setup.ports.set('remote.example', remote.port)
  assert.deepEqual(await setup.deliver('eve@remote.example'), [{ kind: 'accepted' }])
  const [queued] = await setup.queue()
  await setup.runner.runDue()
  assert.equal(remote.received[0]?.content, 'Subject: x\r\n\r\nx\r\n')
  assert.equal(remote.received[0]?.mailLine, 'MAIL FROM:<ann@example.org> SIZE=17')
  assert.deepEqual(await setup.queue(), [])
  await assert.rejects(async () => setup.store.readBody(serverAccount, queued?.hash as never))
  // The trace stays for who asks.
  const attempts = await listAttempts(setup.store.reader, queued?.id ?? 0)
  assert.deepEqual(
    attempts.map(({ kind, host, code, status }) => [kind, host, code, status]),
    [['delivered', 'mx.remote.example', 250, '2.0.0']],
  )
  assert.equal(
    (await findQueueMessage(setup.store.reader, queued?.id ?? 0))?.recipients[0]?.state,
    'delivered',
  )
})

test('greylisting: what is refused for now is tried again by the schedule', async t => {
  const setup = await setUpQueue(t, { queue: { retryMinutes: [2, 5] } })
  const remote = await remoteServer(t, { rcpt: { 'eve@remote.example': '451 4.7.1 come back' } })
  setup.ports.set('remote.example', remote.port)
  await setup.deliver('eve@remote.example')
  await setup.runner.runDue()
  const start = setup.clock.nowMs
  assert.equal((await setup.queue())[0]?.recipients[0]?.dueAt, start + 120_000)
  await setup.runner.runDue()
  assert.equal(remote.lines.filter(line => line.startsWith('RCPT')).length, 1)
  setup.pass(2 / 60)
  await setup.runner.runDue()
  assert.equal((await setup.queue())[0]?.recipients[0]?.dueAt, start + 420_000)
  remote.options = {}
  setup.pass(5 / 60)
  await setup.runner.runDue()
  assert.equal(remote.received.length, 1)
  assert.deepEqual(await setup.queue(), [])
})

test('the wait between attempts is made longer and shorter at random', async t => {
  const setup = await setUpQueue(t, { queue: { jitter: 0.5 } })
  const waits = new Set<number>()
  for (const random of [0, 0.25, 0.999]) {
    const runner = new QueueRunner({ ...setup.context, random: () => random })
    await setup.deliver(`eve@unreachable${random}.example`)
    await runner.runDue()
    const due = (await setup.queue()).at(-1)?.recipients[0]?.dueAt ?? 0
    waits.add((due - setup.clock.nowMs) / 60_000)
  }
  assert.deepEqual([...waits].map(Math.round), [1, 2, 3])
})

test('what is refused for good is reported to the sender, once (RFC 3464)', async t => {
  const setup = await setUpQueue(t)
  const remote = await remoteServer(t, {
    rcpt: { 'no@remote.example': '550 5.1.1 <no@remote.example>: nobody \u00fc here' },
  })
  setup.ports.set('remote.example', remote.port)
  await setup.deliver(['no@remote.example', 'eve@remote.example'], { envelopeId: 'env 1' })
  await setup.runner.runDue()
  await setup.runner.runDue()
  const [report = '', ...more] = await setup.inbox()
  assert.equal(more.length, 0)
  assert.match(report, /^Return-Path: <>\r\nAuto-Submitted: auto-replied\r\n/)
  assert.match(report, /\r\nContent-Type: multipart\/report; report-type=delivery-status;/)
  assert.match(report, /\r\nOriginal-Envelope-Id: env 1\r\nReporting-MTA: dns; mx\.example\.org\r\n/)
  assert.match(
    report,
    /\r\nFinal-Recipient: rfc822; no@remote\.example\r\nAction: failed\r\nStatus: 5\.1\.1\r\nRemote-MTA: dns; mx\.remote\.example\r\nDiagnostic-Code: smtp; 550 5\.1\.1 /,
  )
  assert.match(report, /\r\nContent-Type: message\/rfc822\r\n\r\nSubject: x\r\n\r\nx\r\n/)
  assert.doesNotMatch(report, /eve@remote/)
  assert.doesNotMatch(report, /[^\x00-\x7f]/)
  assert.equal(remote.received.length, 1)
  assert.deepEqual(await setup.queue(), [])
})

test('a report about a remote sender goes into the queue with the null sender, and nothing is reported about it', async t => {
  const setup = await setUpQueue(t)
  const remote = await remoteServer(t, { rcpt: { 'eve@remote.example': '550 5.1.1 nobody' } })
  setup.ports.set('remote.example', remote.port)
  await setup.deliver('nobody@gone.example', { mailFrom: parseMailbox('eve@remote.example') })
  await setup.runner.runDue()
  assert.ok(remote.lines.some(line => line.startsWith('MAIL FROM:<>')))
  assert.deepEqual(await setup.queue(), [])
  assert.deepEqual(await setup.inbox(), [])
})

test('NOTIFY and RET are honoured in reports (RFC 3461)', async t => {
  const setup = await setUpQueue(t)
  await setup.deliver('a@gone.example', { rcpt: { notify: [] } })
  await setup.deliver('b@gone.example', { rcpt: { notify: ['SUCCESS', 'DELAY'] } })
  await setup.runner.runDue()
  assert.deepEqual(await setup.inbox(), [])
  await setup.deliver('c@gone.example', {
    ret: 'HDRS',
    rcpt: { notify: ['FAILURE'], originalRecipient: 'rfc822;c+2Bx@old.example' },
  })
  await setup.runner.runDue()
  const [report = ''] = await setup.inbox()
  assert.match(report, /\r\nOriginal-Recipient: rfc822; c\+x@old\.example\r\n/)
  assert.match(report, /\r\nContent-Type: text\/rfc822-headers\r\n\r\nSubject: x\r\n\r\n\r\n--=_/)
})

test('success is reported for a mailbox here, and as relayed for a server without DSN', async t => {
  const setup = await setUpQueue(t)
  await setup.deliver('ann@example.org', { rcpt: { notify: ['SUCCESS'] } })
  const remote = await remoteServer(t)
  setup.ports.set('remote.example', remote.port)
  await setup.deliver('eve@remote.example', { rcpt: { notify: ['SUCCESS'] } })
  await setup.runner.runDue()
  remote.options = { extensions: ['DSN'] }
  await setup.runner.stop(1000)
  await setup.deliver('eve@remote.example', { rcpt: { notify: ['SUCCESS'] } })
  await new QueueRunner(setup.context).runDue()
  const inbox = await setup.inbox()
  assert.equal(inbox.length, 3)
  assert.match(inbox[1] ?? '', /\r\nAction: delivered\r\nStatus: 2\.1\.5\r\n/)
  assert.match(inbox[2] ?? '', /\r\nAction: relayed\r\nStatus: 2\.1\.9\r\n/)
})

test('a delay is reported once after four hours, and the end after five days', async t => {
  const setup = await setUpQueue(t)
  await setup.deliver('eve@unreachable.example')
  for (let hour = 0; hour <= 130; hour++) {
    await setup.runner.runDue()
    setup.pass(1)
  }
  const [delayed = '', failed = '', ...more] = await setup.inbox()
  assert.equal(more.length, 0)
  assert.match(delayed, /\r\nAction: delayed\r\nStatus: 4\.4\.1\r\n/)
  assert.match(delayed, /\r\nWill-Retry-Until: Tue, 06 Jan 2026 00:00:00 \+0000\r\n/)
  assert.match(failed, /\r\nAction: failed\r\nStatus: 5\.4\.7\r\n/)
  assert.match(failed, /\r\nDate: Tue, 06 Jan 2026 0[0-3]:00:00 \+0000\r\n/)
  assert.deepEqual(await setup.queue(), [])
})

test('a crash between an attempt and its record sends twice but loses nothing', async t => {
  const setup = await setUpQueue(t)
  const remote = await remoteServer(t)
  setup.ports.set('remote.example', remote.port)
  await setup.deliver('eve@remote.example')
  const dead = new QueueRunner({ ...setup.context, store: withoutRecords(setup.store) })
  await dead.runDue()
  assert.equal(remote.received.length, 1)
  // Its lease keeps others away …
  await setup.runner.runDue()
  assert.equal(remote.received.length, 1)
  // … until the machine's next life gives it back.
  await setup.runner.start()
  while ((await setup.queue()).length > 0) await new Promise(setImmediate)
  assert.equal(remote.received.length, 2)
})

test('a lease runs out, and the work goes to another', async t => {
  const setup = await setUpQueue(t)
  const remote = await remoteServer(t)
  setup.ports.set('remote.example', remote.port)
  await setup.deliver('eve@remote.example')
  const args = { lease: 'other', leaseMs: 600_000, limit: 10, perDomain: 1, isLocalOnly: false }
  assert.equal((await setup.store.mutate('leaseQueue', args)).length, 1)
  assert.equal((await setup.store.mutate('leaseQueue', args)).length, 0)
  await setup.runner.runDue()
  assert.equal(remote.received.length, 0)
  setup.pass(0.2)
  await setup.runner.runDue()
  assert.equal(remote.received.length, 1)
  // The slow one comes back: it may say that it was delivered, and change nothing else.
  const [before] = await setup.queue()
  assert.equal(before, undefined)
  const late = { recipient: 1, reply: { host: 'x', code: 550, status: '5.1.1', text: 'no' } }
  const message = 2
  assert.deepEqual(
    (
      await setup.store.mutate('recordAttempt', {
        message,
        lease: 'other',
        results: [{ ...late, kind: 'failed' }],
        deliveries: [],
        messages: [],
      })
    ).stale,
    [1],
  )
})

test('so many messages are on their way to one domain at a time, and others do not wait for them', async t => {
  const setup = await setUpQueue(t, { queue: { perDomain: 2, concurrency: 5 } })
  for (let i = 0; i < 6; i++) await setup.deliver(`u${i}@slow.example`)
  await setup.deliver('eve@quick.example')
  const lease = (name: string) =>
    setup.store.mutate('leaseQueue', {
      lease: name,
      leaseMs: 600_000,
      limit: 5,
      perDomain: 2,
      isLocalOnly: false,
    })
  assert.deepEqual(
    (await lease('a')).map(({ domain }) => domain),
    ['slow.example', 'slow.example', 'quick.example'],
  )
  assert.deepEqual(await lease('b'), [])
})

test('a message that waits can be held, released, tried at once and dropped', async t => {
  const setup = await setUpQueue(t)
  const remote = await remoteServer(t, { mail: '450 4.7.1 later' })
  setup.ports.set('remote.example', remote.port)
  await setup.deliver('eve@remote.example')
  await setup.runner.runDue()
  const [message] = await setup.queue()
  const steer = (action: 'hold' | 'release' | 'retry' | 'drop') =>
    setup.store.mutate('steerQueue', { action, message: message?.id ?? 0 })
  assert.equal(await steer('hold'), 1)
  assert.deepEqual(await countQueue(setup.store.reader), { waiting: 0, held: 1 })
  setup.pass(1)
  await setup.runner.runDue()
  assert.equal(await steer('retry'), 0)
  assert.equal(await steer('release'), 1)
  await setup.runner.runDue()
  assert.equal((await setup.queue())[0]?.recipients[0]?.attempts, 2)
  remote.options = {}
  assert.equal(await steer('retry'), 1)
  await setup.runner.runDue()
  assert.equal(remote.received.length, 1)
  await setup.deliver('eve@remote.example')
  assert.equal(await setup.store.mutate('steerQueue', { action: 'drop', domain: 'remote.example' }), 1)
  assert.deepEqual(await setup.queue(), [])
  assert.deepEqual(await setup.inbox(), [])
})

test('a forward that leads back to us is delivered here, with its chain in Delivered-To', async t => {
  const setup = await setUpQueue(t)
  const bob = await createAccount(setup.directory, { address: 'bob@example.org' })
  await createAlias(setup.directory, 'away@example.org', ['bob@later.example'])
  await setup.deliver('away@example.org', { mailFrom: parseMailbox('eve@remote.example') })
  await createDomain(setup.directory, 'later.example')
  await createAlias(setup.directory, 'bob@later.example', ['bob@example.org'])
  await setup.runner.runDue()
  assert.deepEqual(await setup.inbox(bob), [
    'Return-Path: <eve@remote.example>\r\nDelivered-To: away@example.org\r\nSubject: x\r\n\r\nx\r\n',
  ])
})

test('two aliases that forward to each other over a third party end (mail loop)', async t => {
  const setup = await setUpQueue(t)
  const remote = await remoteServer(t)
  setup.ports.set('remote.example', remote.port)
  await createAlias(setup.directory, 'a@example.org', ['b@remote.example'])
  await setup.deliver('a@example.org')
  await setup.runner.runDue()
  const content = remote.received[0]?.content ?? ''
  assert.deepEqual(await setup.deliver('a@example.org', { content }), [
    {
      kind: 'refused',
      reply: { code: 554, status: '5.4.6', text: 'This message has been forwarded from here before' },
    },
  ])
})

test('a full mailbox is tried again, and the sender told when it stays full', async t => {
  const setup = await setUpQueue(t, { defaultQuota: { messages: 1 } })
  const bob = await createAccount(setup.directory, { address: 'bob@example.org' })
  await createAlias(setup.directory, 'both@example.org', ['ann@example.org', 'bob@example.org'])
  await setup.deliver('bob@example.org')
  assert.deepEqual(
    await setup.deliver('both@example.org', { mailFrom: parseMailbox('eve@remote.example') }),
    [{ kind: 'accepted' }],
  )
  assert.equal((await setup.inbox()).length, 1)
  assert.equal((await setup.queue())[0]?.recipients[0]?.address, 'bob@example.org')
  setup.pass(1)
  await setup.runner.runDue()
  assert.equal((await setup.queue())[0]?.recipients[0]?.last?.status, '4.2.2')
  await setup.store.mutate('updateAccount', { account: bob, quotaMessages: 2 } as never)
  setup.pass(1)
  await setup.runner.runDue()
  assert.equal((await setup.inbox(bob)).length, 2)
  assert.deepEqual(await setup.queue(), [])
})

test('a report that a full mailbox does not take waits for room', async t => {
  const setup = await setUpQueue(t, { defaultQuota: { messages: 1 } })
  await setup.deliver('ann@example.org')
  await setup.deliver('a@gone.example')
  await setup.runner.runDue()
  assert.equal((await setup.inbox()).length, 1)
  assert.deepEqual(
    (await setup.queue()).map(({ mailFrom, recipients }) => [
      mailFrom,
      recipients[0]?.address,
      recipients[0]?.notify,
    ]),
    [['', 'ann@example.org', '']],
  )
  await setup.store.mutate('updateAccount', { account: setup.ann, quotaMessages: 2 } as never)
  setup.pass(1)
  await setup.runner.runDue()
  assert.match((await setup.inbox())[1] ?? '', /\r\nAction: failed\r\n/)
  assert.deepEqual(await setup.queue(), [])
})

test('with outbound none nothing leaves, but what belongs here is delivered', async t => {
  const setup = await setUpQueue(t, { queue: { outbound: 'none' } })
  const remote = await remoteServer(t)
  setup.ports.set('remote.example', remote.port)
  await setup.deliver('eve@remote.example')
  await setup.runner.runDue()
  assert.equal(remote.connections, 0)
  assert.equal((await setup.queue()).length, 1)
})

test('the runner works by itself: it is woken by what is queued', async t => {
  const setup = await setUpQueue(t)
  const remote = await remoteServer(t)
  setup.ports.set('remote.example', remote.port)
  await setup.runner.start()
  for (let i = 0; i < 20; i++) await setup.deliver(`u${i}@remote.example`)
  while ((await setup.queue()).length > 0) await new Promise(setImmediate)
  assert.equal(remote.received.length, 20)
})

test('history is forgotten after a while', async t => {
  const setup = await setUpQueue(t)
  await setup.deliver('a@gone.example')
  await setup.runner.runDue()
  const count = async () => (await setup.store.reader.all('SELECT id FROM queue_message')).length
  assert.equal(await count(), 1)
  await setup.store.mutate('pruneQueue', { finishedBefore: setup.clock.nowMs, limit: 10 })
  assert.equal(await count(), 1)
  await setup.store.mutate('pruneQueue', { finishedBefore: setup.clock.nowMs + 1, limit: 10 })
  assert.equal(await count(), 0)
  assert.deepEqual(await setup.store.reader.all('SELECT * FROM queue_attempt'), [])
})
