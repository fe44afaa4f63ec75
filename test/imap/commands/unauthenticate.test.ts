import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message, startImap } from '../harness.ts'

test('UNAUTHENTICATE goes back to before log-in, and another may log in (RFC 8437 §3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('of alice'))
  await client.ok('ENABLE CONDSTORE QRESYNC IMAP4rev2')
  await client.ok('SELECT INBOX')
  await client.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  assert.equal((await client.command('UNAUTHENTICATE')).status, 'OK')
  assert.equal((await client.command('NOOP')).status, 'OK')
  assert.equal((await client.command('SELECT INBOX')).status, 'BAD')
  assert.match((await client.ok('CAPABILITY'))[0] ?? '', /AUTH=PLAIN/)
  await client.login('bob@example.test')
  assert.deepEqual(await client.ok('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 0)'])
  // RFC 8437 §4.1: nothing is enabled any more: RECENT is told, CONDSTORE can be enabled.
  assert.ok((await client.ok('SELECT INBOX')).includes('* 0 RECENT'))
  assert.ok((await client.ok('ENABLE CONDSTORE')).includes('* ENABLED CONDSTORE'))
  // Nothing was expunged.
  const alice = await server.client()
  assert.deepEqual(await alice.ok('STATUS INBOX (MESSAGES DELETED)'), [
    '* STATUS INBOX (MESSAGES 1 DELETED 1)',
  ])
})

test('UNAUTHENTICATE may be pipelined with AUTHENTICATE (RFC 8437 §3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const response = Buffer.from('\0bob@example.test\0secret').toString('base64')
  client.send(`a UNAUTHENTICATE\r\nb AUTHENTICATE PLAIN ${response}\r\nc STATUS INBOX (MESSAGES)\r\n`)
  assert.match((await client.answer('a')).tagged, /^OK/)
  assert.match((await client.answer('b')).tagged, /^OK/)
  assert.equal((await client.answer('c')).status, 'OK')
})

test('UNAUTHENTICATE before log-in and with arguments is BAD; over COMPRESS it is BYE (RFC 8437 §3, §4.1)', async t => {
  const server = await startImap(t)
  const stranger = await server.connect()
  assert.equal((await stranger.command('UNAUTHENTICATE')).status, 'BAD')
  const client = await server.client()
  assert.equal((await client.command('UNAUTHENTICATE now')).status, 'BAD')
  assert.equal((await client.command('NOOP')).status, 'OK')
  await client.ok('COMPRESS DEFLATE')
  client.startCompression()
  client.send('x UNAUTHENTICATE\r\n')
  assert.match((await client.line()) ?? '', /^\* BYE /)
  assert.equal(await client.line(), undefined)
})
