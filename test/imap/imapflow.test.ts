// imapflow, with what it switches on by itself: COMPRESS, UTF8=ACCEPT, CONDSTORE, IMAP4rev2, and QUOTA.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapFlow, type ImapFlowOptions } from 'imapflow'
import { imapConfig } from '../../src/imap/config.ts'
import { message, startImap } from './harness.ts'

/** A client who has logged in as alice. */
async function connect(port: number, options: Pick<ImapFlowOptions, 'qresync'> = {}): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port,
    secure: false,
    auth: { user: 'alice@example.test', pass: 'secret' },
    logger: false,
    ...options,
  })
  await client.connect()
  return client
}

test('imapflow works with COMPRESS, UTF8=ACCEPT, CONDSTORE and QUOTA on', async t => {
  const server = await startImap(t)
  const client = await connect(server.port)
  for (const name of ['CONDSTORE', 'UTF8=ACCEPT']) assert.ok(client.enabled.has(name), name)
  await client.mailboxCreate('Übung')
  assert.ok((await client.list()).some(({ path }) => path === 'Übung'))
  const lock = await client.getMailboxLock('Übung')
  try {
    await client.append('Übung', Buffer.from(message('Grüße', 'hallo\r\n')), ['\\Seen'])
    await client.append('Übung', Buffer.from(message('two', 'hallo\r\n')), [])
    const subjects: (string | undefined)[] = []
    for await (const row of client.fetch('1:*', { envelope: true, source: true })) {
      subjects.push(row.envelope?.subject)
      assert.ok(row.source?.toString().endsWith('hallo\r\n'))
    }
    assert.deepEqual(subjects, ['Grüße', 'two'])
    assert.deepEqual(await client.search({ subject: 'GRÜßE' }), [1])
    const moved = await client.messageMove('1', 'INBOX')
    assert.equal(moved && moved.uidMap?.get(1), 1)
    const status = await client.status('INBOX', { messages: true, unseen: true })
    assert.deepEqual([status && status.messages, status && status.unseen], [1, 0])
    const quota = await client.getQuota('INBOX')
    assert.equal(quota && quota.quotaRoot, 'alice@example.test')
  } finally {
    lock.release()
  }
  await client.logout()
})

test('imapflow resynchronises by QRESYNC and hears of expunges as VANISHED', async t => {
  const server = await startImap(t)
  const one = await connect(server.port, { qresync: true })
  assert.ok(one.enabled.has('QRESYNC'))
  for (const subject of ['one', 'two', 'three'])
    await one.append('INBOX', Buffer.from(message(subject, 'x\r\n')))
  await one.mailboxOpen('INBOX')
  const gone = Promise.withResolvers<{ readonly uid?: number | undefined; readonly vanished: boolean }>()
  one.on('expunge', event => gone.resolve(event))
  const other = await connect(server.port, { qresync: true })
  await other.mailboxOpen('INBOX')
  await other.messageDelete('2', { uid: true })
  await one.noop()
  const { uid, vanished } = await gone.promise
  assert.deepEqual([uid, vanished], [2, true])
  await other.logout()
  await one.logout()
})

test('imapflow sees labels, ids and raw searches as Gmail has them (X-GM-EXT-1)', async t => {
  const server = await startImap(t, { config: { imap: imapConfig.parse({ gmail: true }) } })
  const client = await connect(server.port)
  assert.ok(client.capabilities.has('X-GM-EXT-1'))
  // With it imapflow asks for EMAILID and THREADID.
  client.capabilities.delete('OBJECTID')
  for (const name of ['work', 'Übung']) await client.mailboxCreate(name)
  await client.append('INBOX', Buffer.from(message('Grüße', 'hallo\r\n')), ['\\Flagged'])
  await client.append('INBOX', Buffer.from(message('other', 'x\r\n', 'In-Reply-To: <one@example.test>\r\n')))
  const lock = await client.getMailboxLock('INBOX')
  const labelsOf = async (number: number) => {
    const row = await client.fetchOne(`${number}`, { labels: true, threadId: true })
    assert.ok(row && row.emailId && row.threadId)
    assert.match(`${row.emailId} ${row.threadId}`, /^\d+ \d+$/)
    return [[...(row.labels ?? [])].sort(), row.emailId, row.threadId] as const
  }
  try {
    const [labels, emailId, threadId] = await labelsOf(1)
    assert.deepEqual(labels, ['\\Inbox', '\\Starred'])
    assert.ok(await client.messageFlagsAdd('1', ['work', 'Übung'], { useLabels: true }))
    assert.deepEqual((await labelsOf(1))[0], ['\\Inbox', '\\Starred', 'work', 'Übung'])
    assert.deepEqual((await labelsOf(2))[0], ['\\Inbox'])
    assert.deepEqual(await client.search({ gmraw: 'subject:grüße is:starred' }), [1])
    assert.deepEqual(await client.search({ gmraw: 'label:work OR subject:other' }), [1, 2])
    assert.deepEqual(await client.search({ emailId }), [1])
    assert.deepEqual(await client.search({ threadId }), [1])
    assert.ok(await client.messageFlagsRemove('1', ['work'], { useLabels: true }))
    assert.deepEqual((await labelsOf(1))[0], ['\\Inbox', '\\Starred', 'Übung'])
    assert.deepEqual(await client.search({ gmraw: 'label:work' }), [])
    assert.deepEqual(await client.search({ labels: { has: ['Übung'], not: ['work'] } }), [1])
  } finally {
    lock.release()
  }
  const status = await client.status('Übung', { messages: true })
  assert.equal(status && status.messages, 1)
  await client.logout()
})
