// What a peer who means harm can do to a connection: security.md, "Endless line", "Literals and parser memory", "One client starving others".
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { Connection } from '../../src/net/connection.ts'
import { isConnectionError } from '../../src/net/connection-error.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { listen, pair } from './pair.ts'

const coded = (code: string) => (error: unknown) => isConnectionError(error) && error.code === code

/** Writes until the socket takes no more, again and again, until it is closed. */
function flood(peer: Socket, chunk: Buffer): void {
  const pour = () => {
    while (!peer.destroyed && peer.write(chunk));
  }
  peer.on('drain', pour)
  peer.on('error', () => {})
  pour()
}

test('an endless line is refused at its limit, and skipped in bounded memory until that has a limit too', async t => {
  const { connection, peer } = await pair(t, { limits: { skipLineBytes: 8 * 1024 * 1024 } })
  flood(peer, Buffer.alloc(65_536, 'x'))
  await assert.rejects(async () => connection.readLine(8192), coded('LineTooLong'))
  await assert.rejects(connection.skipLine(), coded('LineTooLong'))
  connection.destroy()
})

test('a flood that nobody reads fills a bounded buffer, then the kernel', async t => {
  const { connection, peer } = await pair(t, { limits: { inputHighWaterBytes: 16 * 1024 } })
  const chunk = Buffer.alloc(65_536, 'x')
  flood(peer, chunk)
  // When the peer's own buffer stays full over many turns, nothing is read here any more.
  for (let last = -1; last !== peer.bytesWritten - peer.writableLength; ) {
    last = peer.bytesWritten - peer.writableLength
    for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
  }
  let bufferedBytes = 0
  while (connection.hasBufferedInput) {
    // Taken in one turn: nothing can be added in between.
    const piece = connection.readChunk()
    assert.ok(Buffer.isBuffer(piece))
    bufferedBytes += piece.length
  }
  assert.ok(bufferedBytes <= 16 * 1024 + 65_536, `${bufferedBytes} bytes`)
})

test('a peer who reads nothing is given no further command, and is destroyed after the drain deadline', async t => {
  const limits = { outputHighWaterBytes: 64 * 1024, drainMs: 10_000 }
  const { connection, peer, clock, send } = await pair(t, { limits })
  peer.pause()
  await send('FETCH\r\n'.repeat(5000))
  const answer = Buffer.alloc(16 * 1024, 'x')
  let commands = 0
  let failure: unknown
  const session = (async () => {
    try {
      while (await connection.readLine(100)) {
        commands++
        connection.write(answer)
      }
    } catch (error) {
      failure = error
    }
  })()
  // The session stops when the kernel's buffers are full.
  for (let last = -1; last !== commands || connection.outputBytes <= limits.outputHighWaterBytes; ) {
    last = commands
    for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
  }
  assert.ok(commands < 5000)
  assert.ok(connection.outputBytes <= 64 * 1024 + 2 * answer.length)
  let waitedMs = 0
  for (; failure === undefined; waitedMs += 100) {
    clock.advance(100)
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.ok(waitedMs >= 10_000 && waitedMs <= 15_000, `${waitedMs} ms`)
  await session
  assert.ok(isConnectionError(failure, 'DeadlineExceeded'))
  assert.equal(connection.isClosed, true)
})

test('drain resolves when the peer reads again', async t => {
  const { connection, peer } = await pair(t, { limits: { outputHighWaterBytes: 1024 } })
  peer.pause()
  for (let i = 0; i < 400; i++) connection.write(Buffer.alloc(65_536))
  const drained = connection.drain()
  assert.ok(drained instanceof Promise)
  peer.resume()
  await drained
  assert.ok(connection.outputBytes <= 1024)
  assert.equal(connection.drain(), undefined)
})

test('a producer on a closed connection is told to stop', async t => {
  const { connection } = await pair(t)
  connection.destroy()
  connection.write('into the void')
  assert.throws(() => connection.drain(), coded('ConnectionClosed'))
})

test('one byte now and then does not hold a command open past the time for a line', async t => {
  const { connection, clock, send } = await pair(t, { limits: { partialLineMs: 60_000 } })
  connection.setDeadline(30 * 60_000)
  const failed = assert.rejects(async () => connection.readLine(100), coded('DeadlineExceeded'))
  // Idle for long is fine; it is the begun line that must end.
  clock.advance(10 * 60_000)
  for (let i = 0; i < 61; i++) {
    await send('x')
    await new Promise(resolve => setImmediate(resolve))
    clock.advance(1000)
  }
  await failed
})

test('one byte a second does not hold a literal open past the grace', async t => {
  const limits = { throughputGraceMs: 60_000, minBytesPerSecond: 64 }
  const { connection, clock, send } = await pair(t, { limits })
  connection.setDeadline(5 * 60_000)
  let received = 0
  let failure: unknown
  const read = connection
    .readTo(1_000_000, chunk => {
      received += chunk.length
    })
    .catch((error: unknown) => {
      failure = error
    })
  let seconds = 0
  for (; failure === undefined && seconds < 200; seconds++) {
    await send('x')
    while (received <= seconds && failure === undefined) await new Promise(resolve => setImmediate(resolve))
    clock.advance(1000)
    await new Promise(resolve => setImmediate(resolve))
  }
  await read
  assert.ok(isConnectionError(failure, 'DeadlineExceeded'))
  assert.ok(seconds >= 59 && seconds <= 63, `${seconds} s`)
})

test('a body that comes fast enough may take longer than the deadline of a silence', async t => {
  const { connection, clock, send } = await pair(t)
  connection.setDeadline(60_000)
  let received = 0
  const read = connection.readTo(10 * 4096, chunk => {
    received += chunk.length
  })
  for (let i = 1; i <= 10; i++) {
    await send(Buffer.alloc(4096))
    while (received < i * 4096) await new Promise(resolve => setImmediate(resolve))
    clock.advance(30_000)
  }
  await read
})

test('the end in the middle of a literal is ConnectionClosed', async t => {
  const { connection, peer } = await pair(t)
  peer.end('12345')
  await assert.rejects(async () => connection.readBytes(6), coded('ConnectionClosed'))
  assert.equal((await connection.readBytes(5)).toString(), '12345')
  await assert.rejects(
    connection.readTo(1, () => {}),
    coded('ConnectionClosed'),
  )
})

test('a size of 2^64, a negative one and a fraction are no counts', async t => {
  const { connection } = await pair(t)
  for (const count of [2 ** 64, -1, 0.5, NaN, Infinity]) {
    assert.throws(() => connection.readBytes(count), RangeError)
    await assert.rejects(
      connection.readTo(count, () => {}),
      RangeError,
    )
  }
})

test('a half-open client gets the answers to all that he sent', async t => {
  const { connection, peer, received } = await pair(t)
  peer.end('one\r\ntwo\r\n')
  for (let line = await connection.readLine(10); line; line = await connection.readLine(10)) {
    connection.write(`got ${line.toString()}\r\n`)
  }
  connection.close()
  assert.equal(await received(), 'got one\r\ngot two\r\n')
  await connection.closed
})

test('a peer who never takes the farewell nor closes is destroyed after the linger', async t => {
  const { connection, peer, clock } = await pair(t, { limits: { lingerMs: 10_000 } })
  peer.pause()
  connection.write(Buffer.alloc(32 * 1024 * 1024))
  connection.close()
  clock.advance(9000)
  assert.equal(connection.isClosed, false)
  clock.advance(1100)
  await connection.closed
})

test('a last answer arrives though the client goes on sending', async t => {
  const { connection, peer, received } = await pair(t)
  flood(peer, Buffer.alloc(65_536, 'x'))
  await connection.readChunk()
  connection.write('BYE\r\n')
  connection.close()
  assert.equal(await received(text => text === 'BYE\r\n'), 'BYE\r\n')
})

test('a reset is an end like any other: no error escapes, and its reason is kept', async t => {
  const { connection, peer } = await pair(t)
  const read = connection.readLine(10)
  peer.resetAndDestroy()
  assert.equal(await read, undefined)
  await connection.closed
  assert.match(connection.error?.message ?? '', /ECONNRESET/)
})

test('destroy ends a pending read, and later reads too', async t => {
  const { connection, send } = await pair(t)
  await send('waiting\r\n')
  await connection.waitForInput()
  connection.destroy()
  assert.equal(await connection.readLine(10), undefined)
  assert.equal(await connection.waitForInput(), 'end')
})

test('two reads at once are our bug, and said so', async t => {
  const { connection } = await pair(t)
  const read = connection.readLine(10)
  assert.throws(() => connection.readLine(10), /two reads/)
  connection.destroy()
  await read
})

test('a client who pipelines without end lets others run every ten milliseconds', async t => {
  const { connection, clock, peer } = await pair(t)
  let turns = 0
  let isOver = false
  const others = () => {
    turns++
    if (!isOver) setImmediate(others)
  }
  setImmediate(others)
  peer.end('A\n'.repeat(1000))
  let lines = 0
  for (let line = await connection.readLine(10); line; line = await connection.readLine(10)) {
    lines++
    // Each command works for a millisecond.
    clock.nowMs += 1
  }
  isOver = true
  assert.equal(lines, 1000)
  assert.ok(turns >= 95, `${turns} turns`)
})

test('a thousand connections come and go and leave nothing behind', async t => {
  let closed = 0
  const all = Promise.withResolvers<void>()
  const listener = await listen(t, {
    handle: async connection => {
      connection.onClose(() => {
        if (++closed === 1000) all.resolve()
      })
      connection.write('hello\r\n')
      while (await connection.readLine(100));
    },
  })
  for (let round = 0; round < 10; round++) {
    const peers = Array.from({ length: 100 }, () => connect(listener.port, '127.0.0.1'))
    await Promise.all(peers.map(peer => once(peer, 'data')))
    // Half say goodbye, half are gone.
    peers.forEach((peer, i) => (i % 2 === 0 ? peer.end() : peer.resetAndDestroy()))
  }
  await all.promise
  assert.equal(listener.connectionCount, 0)
})

test('breathe gives way only when the time is used up', async t => {
  const { connection, clock } = await pair(t)
  assert.equal(connection.breathe(), undefined)
  clock.nowMs += 11
  const pause = connection.breathe()
  assert.ok(pause instanceof Promise)
  await pause
  assert.equal(connection.breathe(), undefined)
  assert.ok(connection instanceof Connection)
})

test('a socket that died before it became a connection is a closed connection', async t => {
  const { peer } = await pair(t)
  peer.destroy()
  await once(peer, 'close')
  const connection = new Connection(peer, { deadlines: new Deadlines() })
  assert.equal(connection.isClosed, true)
  assert.equal(await connection.readLine(10), undefined)
  await connection.closed
})

test('who asks for STARTTLS and takes no answer is destroyed', async t => {
  const { connection, peer, clock } = await pair(t, { limits: { drainMs: 10_000 } })
  peer.pause()
  connection.write(Buffer.alloc(32 * 1024 * 1024))
  const upgrade = connection.startTls({ serverOptions: () => ({}) })
  clock.advance(10_001)
  await assert.rejects(upgrade, coded('ConnectionClosed'))
  assert.equal(connection.isClosed, true)
})
