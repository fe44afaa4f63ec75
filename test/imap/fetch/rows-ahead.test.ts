import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/base/limits.ts'
import { message } from '../harness.ts'
import { fill, openInbox, valueOf } from './mailbox.ts'

const texts = Array.from({ length: 80 }, (_unused, at) => message(`number ${at + 1}`))

test('who fetches one message after the other is looked up many at a time, and gets what came meanwhile', async t => {
  const { imap, store, account } = await openInbox(t, texts.slice(0, 60))
  const reads = t.mock.method(store.reader, 'arrays')
  const lookUps = () => reads.mock.calls.filter(({ arguments: [sql] }) => /FROM email/.test(sql)).length
  for (let number = 1; number <= 60; number++) {
    const [line = ''] = await imap.ok(`UID FETCH ${number} (BODY.PEEK[])`)
    assert.equal(valueOf(line, 'BODY[]'), texts[number - 1])
  }
  // The first one, and the second that makes it a row of them.
  assert.equal(lookUps(), 1 + Math.ceil(59 / limits.imap.readAhead))
  await fill(
    store,
    account,
    texts.slice(60).map(text => ({ bytes: Buffer.from(text) })),
  )
  await imap.ok('NOOP')
  for (const number of [61, 62, 63, 10, 11, 80, 79, 5]) {
    const [line = ''] = await imap.ok(`UID FETCH ${number} (BODY.PEEK[TEXT] RFC822.SIZE BODY.PEEK[])`)
    assert.equal(valueOf(line, 'BODY[]'), texts[number - 1])
  }
})

test('a message that is gone is not given, though its row was read ahead', async t => {
  const server = await openInbox(t, texts.slice(0, 10))
  const { imap } = server
  const client = await server.client()
  for (const number of [1, 2, 3]) await imap.ok(`UID FETCH ${number} (BODY.PEEK[])`)
  await client.ok('SELECT INBOX')
  await client.ok('STORE 5 +FLAGS.SILENT (\\Deleted)')
  await client.ok('EXPUNGE')
  const [line = ''] = await imap.ok('UID FETCH 4 (BODY.PEEK[])')
  assert.equal(valueOf(line, 'BODY[]'), texts[3])
  assert.deepEqual(await imap.ok('UID FETCH 5 (BODY.PEEK[])'), [])
  const [next = ''] = await imap.ok('UID FETCH 6 (BODY.PEEK[])')
  assert.equal(valueOf(next, 'BODY[]'), texts[5])
})
