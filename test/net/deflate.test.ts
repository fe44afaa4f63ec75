import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { deflateLayer } from '../../src/net/deflate.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { dial } from '../../src/net/dial.ts'
import { listen, pair } from './pair.ts'

test('both ends speak deflate after COMPRESS, and each answer can be read whole (RFC 4978 §3)', async t => {
  const listener = await listen(t, {
    handle: async connection => {
      await connection.readLine(100)
      connection.write('A1 OK DEFLATE active\r\n')
      await connection.wrap(deflateLayer)
      for (let line = await connection.readLine(100); line; line = await connection.readLine(100)) {
        connection.write(`* ${line.toString()}\r\n`)
        connection.write(Buffer.alloc(100_000, 'x'))
        await connection.drain()
      }
    },
  })
  const client = await dial({
    to: { address: '127.0.0.1', port: listener.port },
    deadlines: new Deadlines(),
  })
  t.after(() => client.destroy())
  client.write('A1 COMPRESS DEFLATE\r\n')
  assert.equal((await client.readLine(100))?.toString(), 'A1 OK DEFLATE active')
  await client.wrap(deflateLayer)
  for (let i = 0; i < 5; i++) {
    client.write(`hello ${i}\r\n`)
    assert.equal((await client.readLine(100))?.toString(), `* hello ${i}`)
    assert.equal((await client.readBytes(100_000)).length, 100_000)
  }
  client.close()
  await client.closed
})

test('what was pipelined behind COMPRESS is inflated', async t => {
  const { connection, send } = await pair(t)
  const compressed = deflateRawSync('A2 NOOP\r\n', { finishFlush: constants.Z_SYNC_FLUSH })
  await send(Buffer.concat([Buffer.from('A1 COMPRESS DEFLATE\r\n'), compressed]))
  assert.equal((await connection.readLine(100))?.toString(), 'A1 COMPRESS DEFLATE')
  connection.write('A1 OK\r\n')
  await connection.wrap(deflateLayer)
  assert.equal((await connection.readLine(100))?.toString(), 'A2 NOOP')
})

test('a bomb of a thousand to one waits for its reader', async t => {
  const { connection, peer } = await pair(t, { limits: { inputHighWaterBytes: 16 * 1024 } })
  await connection.wrap(deflateLayer)
  const bytes = 64 * 1024 * 1024
  peer.write(deflateRawSync(Buffer.alloc(bytes), { finishFlush: constants.Z_SYNC_FLUSH }))
  await connection.waitForInput()
  for (let turn = 0; turn < 200; turn++) await new Promise(resolve => setImmediate(resolve))
  let waitingBytes = 0
  while (connection.hasBufferedInput) {
    const chunk = connection.readChunk()
    assert.ok(Buffer.isBuffer(chunk))
    waitingBytes += chunk.length
  }
  assert.ok(waitingBytes <= 256 * 1024, `${waitingBytes} bytes`)
  await connection.readTo(bytes - waitingBytes, () => {})
})

test('bytes that are no deflate end the connection without an escaping error', async t => {
  const { connection, send } = await pair(t)
  await connection.wrap(deflateLayer)
  await send(Buffer.alloc(100, 0xff))
  assert.equal(await connection.readLine(100), undefined)
  await connection.closed
  assert.ok(connection.error)
})
