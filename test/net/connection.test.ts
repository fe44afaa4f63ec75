import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { isConnectionError } from '../../src/net/connection-error.ts'
import { pair } from './pair.ts'

const coded = (code: string) => (error: unknown) => isConnectionError(error) && error.code === code

test('a line is given without its CRLF, and says how it ended', async t => {
  const { connection, send } = await pair(t)
  await send('one\r\ntwo\nthree\r four\r\n')
  assert.equal((await connection.readLine(100))?.toString(), 'one')
  assert.equal(connection.lineEnding, 'crlf')
  assert.equal((await connection.readLine(100))?.toString(), 'two')
  assert.equal(connection.lineEnding, 'lf')
  assert.equal((await connection.readLine(100))?.toString(), 'three\r four')
})

test('pipelined lines are read without a promise', async t => {
  const { connection, send } = await pair(t)
  await send('a\r\nb\r\nc\r\n')
  await connection.waitForInput()
  const lines = [connection.readLine(10), connection.readLine(10), connection.readLine(10)]
  assert.deepEqual(lines.map(String), ['a', 'b', 'c'])
  assert.equal(connection.hasBufferedInput, false)
})

test('all that is written for one input chunk reaches the peer as one chunk', async t => {
  const { connection, peer, send } = await pair(t)
  await send('1\r\n2\r\n3\r\n')
  const first = once(peer, 'data') as Promise<[Buffer]>
  for (let i = 0; i < 3; i++) {
    await connection.readLine(10)
    connection.write(i === 1 ? Buffer.from(`* ${i}\r\n`) : `* ${i}\r\n`)
  }
  const next = connection.readLine(10)
  assert.equal((await first)[0].toString(), '* 0\r\n* 1\r\n* 2\r\n')
  peer.end()
  assert.equal(await next, undefined)
})

test('a line of the limit is given, and of one more is LineTooLong, once, and can be skipped', async t => {
  const { connection, send } = await pair(t)
  await send('12345\r\n123456\r\nafter\r\n')
  assert.equal((await connection.readLine(5))?.toString(), '12345')
  await assert.rejects(async () => connection.readLine(5), coded('LineTooLong'))
  assert.equal(await connection.skipLine(), true)
  assert.equal((await connection.readLine(5))?.toString(), 'after')
})

test('an incomplete line at the end is no line', async t => {
  const { connection, peer } = await pair(t)
  peer.end('whole\r\nA1 DELETE inb')
  assert.equal((await connection.readLine(100))?.toString(), 'whole')
  assert.equal(await connection.readLine(100), undefined)
})

test('a literal is read as counted bytes and streamed under back-pressure', async t => {
  const { connection, send } = await pair(t)
  await send(`${'x'.repeat(10)}${'y'.repeat(200_000)}end\r\n`)
  assert.equal((await connection.readBytes(10)).toString(), 'xxxxxxxxxx')
  let length = 0
  let isBusy = false
  await connection.readTo(200_000, async chunk => {
    assert.equal(isBusy, false)
    isBusy = true
    length += chunk.length
    await new Promise(resolve => setImmediate(resolve))
    isBusy = false
  })
  assert.equal(length, 200_000)
  assert.equal((await connection.readLine(10))?.toString(), 'end')
})

test('a hint ends the wait for input and loses none', async t => {
  const { connection, send } = await pair(t)
  const wait = connection.waitForInput()
  connection.wake()
  assert.equal(await wait, 'woken')
  connection.wake()
  assert.equal(connection.waitForInput(), 'woken')
  await send('DONE\r\n')
  assert.equal(await connection.waitForInput(), 'input')
  assert.equal((await connection.readLine(10))?.toString(), 'DONE')
})

test('a read past the deadline throws DeadlineExceeded, and the connection can still say farewell', async t => {
  const { connection, clock, received } = await pair(t)
  connection.setDeadline(5000)
  const read = connection.readLine(10)
  const failed = assert.rejects(async () => read, coded('DeadlineExceeded'))
  clock.advance(4990)
  clock.advance(20)
  await failed
  connection.write('* BYE idle for too long\r\n')
  connection.close()
  assert.equal(await received(), '* BYE idle for too long\r\n')
})

test('strings, and strings with Buffers, are one write of the stream below, and large output is handed on early', async t => {
  const { connection, send } = await pair(t, { limits: { writeBatchBytes: 1000 } })
  const writes: number[] = []
  await connection.wrap(inner => {
    const layer = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        writes.push(chunk.length)
        done()
      },
      writev: (chunks, done) => {
        writes.push(chunks.reduce((sum, { chunk }) => sum + (chunk as Buffer).length, 0))
        done()
      },
    })
    inner.on('data', (chunk: Buffer) => layer.push(chunk)).resume()
    return layer
  })
  writes.length = 0
  const answer = async (...pieces: (string | Buffer)[]) => {
    await send('x\r\n')
    await connection.readLine(10)
    for (const piece of pieces) connection.write(piece)
    const next = connection.waitForInput(0)
    connection.wake()
    await next
  }
  await answer('one', 'two', 'ü')
  assert.deepEqual(writes.splice(0), [8])
  await answer('one', Buffer.from('two'), 'three')
  assert.deepEqual(writes.splice(0), [11])
  await answer('x'.repeat(600), 'x'.repeat(600), 'rest')
  assert.deepEqual(writes.splice(0), [1200, 4])
})
