import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImapClient } from '../client.ts'
import { message, startImap } from '../harness.ts'

/** A command that ends in a non-synchronizing literal. */
async function withLiteral(client: ImapClient, text: string, body: string, more = '') {
  return client.command(`${text} {${Buffer.byteLength(body, 'latin1')}+}\r\n${body}${more}`)
}

test('REPLACE puts a new message in the place of one draft (RFC 8508 §3.2)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  for (const subject of ['one', 'two', 'three', 'four'])
    await client.append('Drafts', message(subject), '(\\Deleted) ')
  await client.ok('SELECT Drafts')
  await other.ok('SELECT Drafts')
  const { untagged, tagged } = await withLiteral(
    client,
    'REPLACE 4 Drafts (\\Seen \\Draft)',
    message('happy new year !!'),
  )
  assert.match(untagged[0] ?? '', /^\* OK \[APPENDUID \d+ 5\] /)
  // Only the message that was named is gone, though all are \Deleted.
  assert.deepEqual(untagged.slice(1), ['* 4 EXPUNGE', '* 4 EXISTS', '* 4 RECENT'])
  assert.match(tagged, /^OK/)
  assert.deepEqual(await client.ok('FETCH 4 (UID FLAGS)'), [
    '* 4 FETCH (UID 5 FLAGS (\\Seen \\Draft \\Recent))',
  ])
  assert.deepEqual((await other.ok('NOOP')).slice(0, 2), ['* 4 EXPUNGE', '* 4 EXISTS'])
})

test('UID REPLACE: the literal goes to the store, into another mailbox too (RFC 8508 §3.3, §3.4)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('Drafts', message('draft'))
  await client.ok('SELECT Drafts')
  const large = message('sent', `${'y'.repeat(78)}\r\n`.repeat(40_000))
  const { untagged, status } = await withLiteral(
    client,
    'UID REPLACE 1 Sent (\\Seen) "17-Jul-1996 02:44:25 -0700"',
    large,
  )
  assert.equal(status, 'OK')
  assert.match(untagged[0] ?? '', /APPENDUID \d+ 1/)
  assert.equal(untagged[1], '* 1 EXPUNGE')
  await client.ok('SELECT Sent')
  assert.match((await client.ok('FETCH 1 INTERNALDATE'))[0] ?? '', /17-Jul-1996 09:44:25/)
})

test('REPLACE with QRESYNC tells VANISHED and HIGHESTMODSEQ (RFC 7162 §3.2.10)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.ok('ENABLE QRESYNC')
  await client.ok('SELECT INBOX')
  const { untagged, tagged } = await withLiteral(client, 'REPLACE * INBOX', message('two'))
  assert.equal(untagged[1], '* VANISHED 1')
  assert.match(tagged, /^OK \[HIGHESTMODSEQ \d+\]/)
})

test('REPLACE counts the room of the old message as free (RFC 8508 §3.4)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const old = message('old', 'x'.repeat(5000))
  await client.append('INBOX', old)
  await server.store.mutate('updateAccount', { account: server.account, quotaBytes: 6000 })
  assert.match((await client.append('INBOX', old)).tagged, /^NO \[OVERQUOTA\]/)
  await client.ok('SELECT INBOX')
  assert.match(
    (await withLiteral(client, 'REPLACE 1 INBOX', message('new', 'x'.repeat(7000)))).tagged,
    /^NO \[OVERQUOTA\]/,
  )
  assert.deepEqual(await client.ok('SEARCH ALL'), ['* SEARCH 1'])
  assert.equal((await withLiteral(client, 'REPLACE 1 INBOX', message('new', 'x'.repeat(5000)))).status, 'OK')
})

test('REPLACE of what is gone, into no mailbox, read-only, or of several is refused and changes nothing', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await client.append('INBOX', message('one'))
  await client.append('INBOX', message('two'))
  assert.equal((await withLiteral(client, 'REPLACE 1 INBOX', 'x')).status, 'BAD')
  await client.ok('SELECT INBOX')
  assert.match((await withLiteral(client, 'UID REPLACE 9 INBOX', message('x'))).tagged, /^NO \[NONEXISTENT\]/)
  assert.match((await withLiteral(client, 'REPLACE 1 Nowhere', message('x'))).tagged, /^NO \[TRYCREATE\]/)
  assert.equal((await withLiteral(client, 'REPLACE 9 INBOX', message('x'))).status, 'BAD')
  assert.equal((await withLiteral(client, 'REPLACE 1:2 INBOX', message('x'))).status, 'BAD')
  assert.equal((await withLiteral(client, 'REPLACE 1 INBOX (\\Seen', message('x'))).status, 'BAD')
  assert.equal((await client.command('REPLACE 1 INBOX')).status, 'BAD')
  await other.ok('SELECT INBOX')
  await other.ok('STORE 1 +FLAGS (\\Deleted)')
  await other.ok('EXPUNGE')
  assert.match((await withLiteral(client, 'REPLACE 1 INBOX', message('x'))).tagged, /^NO \[EXPUNGEISSUED\]/)
  await client.ok('EXAMINE INBOX')
  assert.match((await withLiteral(client, 'REPLACE 1 INBOX', message('x'))).tagged, /^NO \[READ-ONLY\]/)
  assert.deepEqual(await client.ok('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 1)'])
})

test('REPLACE takes CATENATE: a draft is edited where it lies (RFC 8508 §4.2)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('Drafts', message('draft', 'old body\r\n'))
  await client.ok('SELECT Drafts')
  const { status } = await client.command(
    'UID REPLACE 1 Drafts (\\Draft) CATENATE (URL ";UID=1/;SECTION=HEADER" TEXT {10+}\r\nnew body\r\n)',
  )
  assert.equal(status, 'OK')
  const [row] = await client.ok('UID FETCH 2 BODY.PEEK[]')
  assert.ok(row?.includes(message('draft', 'new body\r\n')))
})
