import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { message, startImap } from '../harness.ts'

test('COMPRESS: everything behind the OK is deflated, both ways (RFC 4978 §3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('ENABLE QRESYNC')
  assert.equal((await client.command('compress deflate')).tagged, 'OK DEFLATE active')
  client.startCompression()
  const large = message('large', `${'x'.repeat(70)}\r\n`.repeat(20_000))
  assert.equal((await client.append('INBOX', large)).status, 'OK')
  await client.ok('SELECT INBOX')
  const [row] = await client.ok('FETCH 1 (BODY.PEEK[])')
  assert.ok(row?.includes(large))
  // What was switched on before is still on.
  await client.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  assert.deepEqual(await client.ok('EXPUNGE'), ['* VANISHED 1'])
})

test('COMPRESS works with IDLE and with a second session in the clear', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await client.ok('COMPRESS DEFLATE')
  client.startCompression()
  await client.ok('SELECT INBOX')
  client.send('i IDLE\r\n')
  assert.equal(await client.line(), '+ idling')
  await other.append('INBOX', message('hello'))
  assert.equal(await client.line(), '* 1 EXISTS')
  client.send('DONE\r\n')
  assert.match((await client.answer('i')).tagged, /^OK/)
})

test('COMPRESS twice, another mechanism, and COMPRESS before log-in are BAD (RFC 4978 §3)', async t => {
  const server = await startImap(t)
  const stranger = await server.connect()
  assert.doesNotMatch(stranger.greeting, /COMPRESS/)
  assert.equal((await stranger.command('COMPRESS DEFLATE')).status, 'BAD')
  const client = await server.client()
  for (const wrong of ['COMPRESS', 'COMPRESS GZIP', 'COMPRESS DEFLATE 9', 'COMPRESS "DEFLATE"'])
    assert.equal((await client.command(wrong)).status, 'BAD', wrong)
  await client.ok('COMPRESS DEFLATE')
  client.startCompression()
  assert.equal((await client.command('COMPRESS DEFLATE')).status, 'BAD')
  assert.equal((await client.command('NOOP')).status, 'OK')
})

test('a bomb behind COMPRESS ends its own connection and costs little memory', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await client.ok('COMPRESS DEFLATE')
  const bomb = deflateRawSync(Buffer.alloc(300 * 1024 * 1024, 0x61), { finishFlush: constants.Z_SYNC_FLUSH })
  const before = process.memoryUsage().rss
  const closed = once(client.socket, 'close')
  client.socket.write(bomb)
  await closed
  assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024)
  assert.equal((await other.command('NOOP')).status, 'OK')
})

test('bytes that are no DEFLATE end the connection only', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await client.ok('COMPRESS DEFLATE')
  const closed = once(client.socket, 'close')
  client.socket.write(Buffer.alloc(100, 0xff))
  await closed
  assert.equal((await other.command('NOOP')).status, 'OK')
})
