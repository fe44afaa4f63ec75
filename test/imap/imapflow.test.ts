// imapflow, with what it switches on by itself: COMPRESS, UTF8=ACCEPT, CONDSTORE, IMAP4rev2, and QUOTA.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapFlow } from 'imapflow'
import { message, startImap } from './harness.ts'

test('imapflow works with COMPRESS, UTF8=ACCEPT, CONDSTORE and QUOTA on', async t => {
  const server = await startImap(t)
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: server.port,
    secure: false,
    auth: { user: 'alice@example.test', pass: 'secret' },
    logger: false,
  })
  await client.connect()
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
  const connect = async () => {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: server.port,
      secure: false,
      auth: { user: 'alice@example.test', pass: 'secret' },
      logger: false,
      qresync: true,
    })
    await client.connect()
    return client
  }
  const one = await connect()
  assert.ok(one.enabled.has('QRESYNC'))
  for (const subject of ['one', 'two', 'three'])
    await one.append('INBOX', Buffer.from(message(subject, 'x\r\n')))
  await one.mailboxOpen('INBOX')
  const gone = Promise.withResolvers<{ readonly uid?: number | undefined; readonly vanished: boolean }>()
  one.on('expunge', event => gone.resolve(event))
  const other = await connect()
  await other.mailboxOpen('INBOX')
  await other.messageDelete('2', { uid: true })
  await one.noop()
  const { uid, vanished } = await gone.promise
  assert.deepEqual([uid, vanished], [2, true])
  await other.logout()
  await one.logout()
})
