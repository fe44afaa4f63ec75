import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message, startImap } from '../harness.ts'

test('PREVIEW gives the first words, with LAZY and without (RFC 8970 §3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one', 'This is the first line\r\nof text content.\r\n'))
  await client.append('INBOX', message('two', ''))
  await client.append(
    'INBOX',
    Buffer.from(message('three', 'Grüße\r\n', 'Content-Type: text/plain; charset=utf-8\r\n')),
  )
  await client.ok('SELECT INBOX')
  const first = '* 1 FETCH (PREVIEW "This is the first line of text content.")'
  assert.deepEqual(await client.ok('FETCH 1 (PREVIEW)'), [first])
  assert.deepEqual(await client.ok('FETCH 1 preview'), [first])
  assert.deepEqual(await client.ok('FETCH 1 (PREVIEW (LAZY))'), [first])
  assert.deepEqual(await client.ok('FETCH 1 PREVIEW (LAZY)'), [first])
  assert.deepEqual(await client.ok('FETCH 2 (PREVIEW (LAZY) UID)'), ['* 2 FETCH (PREVIEW "" UID 2)'])
  assert.deepEqual(await client.ok('FETCH 3 (PREVIEW)'), [`* 3 FETCH (PREVIEW {7}\r\n${latin1('Grüße')})`])
  // PREVIEW does not make a message \Seen (RFC 8970 §3).
  assert.deepEqual(await client.ok('SEARCH SEEN'), ['* SEARCH'])
  await client.ok('ENABLE IMAP4rev2')
  assert.deepEqual(await client.ok('FETCH 3 (PREVIEW)'), [`* 3 FETCH (PREVIEW "${latin1('Grüße')}")`])
})

test('PREVIEW goes with the modifiers of FETCH, and knows no other of its own', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.ok('SELECT INBOX')
  assert.equal((await client.ok('UID FETCH 1 PREVIEW (CHANGEDSINCE 1)')).length, 2)
  assert.equal((await client.ok('UID FETCH 1 PREVIEW (LAZY) (CHANGEDSINCE 1)')).length, 1)
  for (const wrong of ['FETCH 1 (PREVIEW (EAGER))', 'FETCH 1 (PREVIEW ())', 'FETCH 1 (PREVIEW(LAZY))'])
    assert.equal((await client.command(wrong)).status, 'BAD', wrong)
})

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}
