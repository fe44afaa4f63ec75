import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Connection } from '../../src/net/connection.ts'
import { parseNetwork } from '../../src/net/ip.ts'
import { isHttpRequestLine } from '../../src/net/listener.ts'
import { listen, record } from './pair.ts'

test('connections over the limit are told so and closed; others go on', async t => {
  const listener = await listen(t, {
    limits: { connections: 2 },
    refusal: '421 Too many connections\r\n',
    handle: async connection => {
      connection.write('220 hello\r\n')
      await connection.readLine(10)
    },
  })
  const dial = async () => {
    const peer = connect(listener.port, '127.0.0.1')
    t.after(() => peer.destroy())
    const { received } = record(peer)
    return { peer, greeting: await received(text => text.includes('\n')) }
  }
  const [first] = [await dial(), await dial()]
  assert.equal((await dial()).greeting, '421 Too many connections\r\n')
  first?.peer.end()
  await once(first.peer, 'close')
  while (listener.connectionCount > 1) await new Promise(resolve => setImmediate(resolve))
  assert.equal((await dial()).greeting, '220 hello\r\n')
})

test('connections are counted for each address, and loopback is exempt', async t => {
  const listener = await listen(t, {
    limits: { connectionsPerNetwork: 1 },
    proxyNetworks: [parseNetwork('127.0.0.1')],
    refusal: '421 Too many connections\r\n',
    handle: async connection => {
      connection.write('220 hello\r\n')
      await connection.readLine(10)
    },
  })
  const dial = async (source: string) => {
    const peer = connect(listener.port, '127.0.0.1')
    t.after(() => peer.destroy())
    peer.write(source === '' ? 'PROXY UNKNOWN\r\n' : `PROXY TCP6 ${source} 2001:db8::1 1 2\r\n`)
    const { received } = record(peer)
    return received(text => text.includes('\n'))
  }
  assert.match(await dial('2001:db8:1::1'), /^220/)
  assert.match(await dial('2001:db8:1::2'), /^421/)
  assert.match(await dial('2001:db8:2::1'), /^220/)
  assert.match(await dial(''), /^220/)
  assert.match(await dial(''), /^220/)
})

test('a stop asks each session to end, waits for it, and accepts no more', async t => {
  const started = Promise.withResolvers<Connection>()
  const listener = await listen(t, {
    handle: async connection => {
      connection.onShutdown(() => {
        connection.write('* BYE going down\r\n')
        connection.close()
      })
      started.resolve(connection)
      while (await connection.readLine(100));
    },
  })
  const { port } = listener
  const peer = connect(port, '127.0.0.1')
  const { received } = record(peer)
  await started.promise
  await listener.stop(60_000)
  assert.equal(await received(), '* BYE going down\r\n')
  const late = connect(port, '127.0.0.1')
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNREFUSED')
})

test('a session that does not end is destroyed when the drain time is over', async t => {
  const started = Promise.withResolvers<Connection>()
  const listener = await listen(t, {
    handle: async connection => {
      connection.onShutdown(() => {})
      started.resolve(connection)
      await connection.closed
    },
  })
  const peer = connect(listener.port, '127.0.0.1')
  peer.on('error', () => {})
  const connection = await started.promise
  await listener.stop(10)
  assert.equal(connection.isClosed, true)
  assert.equal(connection.isStopping, true)
})

test('a session that throws ends its own connection only', async t => {
  let sessions = 0
  const listener = await listen(t, {
    handle: async connection => {
      if (++sessions === 1) throw new Error('a bug of ours')
      connection.write('ok\r\n')
    },
  })
  const first = connect(listener.port, '127.0.0.1')
  assert.equal(await record(first).received(), '')
  const second = connect(listener.port, '127.0.0.1')
  assert.equal(await record(second).received(), 'ok\r\n')
})

test('a port in use is an error of start', async t => {
  const first = await listen(t, {})
  await assert.rejects(listen(t, { address: { host: '127.0.0.1', port: first.port } }), {
    code: 'EADDRINUSE',
  })
})

test('threads listen on one port by reusePort', { skip: process.platform !== 'linux' }, async t => {
  const first = await listen(t, { address: { host: '127.0.0.1', port: 0, reusePort: true } })
  const second = await listen(t, { address: { host: '127.0.0.1', port: first.port, reusePort: true } })
  assert.equal(second.port, first.port)
})

test('LMTP may be spoken over a unix socket, whose peer is local', {
  skip: process.platform === 'win32',
}, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'restante-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'lmtp')
  const listener = await listen(t, {
    address: { path },
    handle: async connection => connection.write(`${connection.isLoopback} ${connection.remotePort}\r\n`),
  })
  assert.deepEqual(listener.address, { path })
  assert.equal(await record(connect(path)).received(), 'true 0\r\n')
})

test('one socket takes IPv6 and IPv4, whose addresses come as IPv4', async t => {
  const listener = await listen(t, {
    address: { port: 0 },
    handle: async connection => connection.write(`${connection.remoteAddress}\r\n`),
  })
  assert.equal(await record(connect(listener.port, '127.0.0.1')).received(), '127.0.0.1\r\n')
})

test('the first line of an HTTP request is known, and no mail command is taken for one', () => {
  const is = (text: string) => isHttpRequestLine(Buffer.from(text))
  for (const yes of [
    'GET / HTTP/1.1',
    'POST /x?y HTTP/1.0',
    'OPTIONS * HTTP/1.1',
    'CONNECT a:1 HTTP/1.1',
    'PRI * HTTP/2.0',
  ]) {
    assert.equal(is(yes), true, yes)
  }
  for (const no of ['EHLO x', 'GET NOOP', 'DELETE LOGIN a b', 'A1 DELETE x HTTP/1.1', 'DELE 1', '', 'GET']) {
    assert.equal(is(no), false, no)
  }
})
