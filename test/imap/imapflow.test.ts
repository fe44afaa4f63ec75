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
