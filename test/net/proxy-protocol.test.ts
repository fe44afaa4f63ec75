import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { Connection } from '../../src/net/connection.ts'
import { parseNetwork } from '../../src/net/ip.ts'
import { parseProxyHeader } from '../../src/net/proxy-protocol.ts'
import { listen, record } from './pair.ts'

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

/** Version 2: command, family and the rest as given. */
function binary(command: number, family: number, body: Buffer): Buffer {
  const head = Buffer.from([0x20 | command, family, body.length >> 8, body.length & 0xff])
  return Buffer.concat([signature, head, body])
}

const v4 = binary(1, 0x11, Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x34, 0, 143]))
const ends = {
  remoteAddress: '192.0.2.7',
  remotePort: 0x1234,
  localAddress: '198.51.100.1',
  localPort: 143,
  isProxied: true,
}

test('version 1 and 2 headers say both ends', () => {
  const line = Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 4660 143\r\nrest')
  assert.deepEqual(parseProxyHeader(line), { length: line.length - 4, endpoints: ends })
  assert.deepEqual(parseProxyHeader(Buffer.concat([v4, Buffer.from('rest')])), {
    length: v4.length,
    endpoints: ends,
  })
  const v6 = Buffer.from('PROXY TCP6 2001:DB8::7 ::ffff:198.51.100.1 4660 143\r\n')
  assert.equal(parseProxyHeader(v6)?.endpoints?.remoteAddress, '2001:db8::7')
})

test('a proxy that speaks for itself, or of something else than TCP, says no ends', () => {
  const cases = [
    Buffer.from('PROXY UNKNOWN\r\n'),
    Buffer.from('PROXY UNKNOWN whatever follows\r\n'),
    binary(0, 0, Buffer.alloc(0)),
    binary(0, 0x11, Buffer.alloc(12)),
    binary(1, 0x31, Buffer.alloc(216)),
  ]
  for (const bytes of cases) {
    assert.deepEqual(parseProxyHeader(bytes), { length: bytes.length, endpoints: undefined })
  }
})

test('a header in pieces is not read before its end', () => {
  for (const bytes of [v4, Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 4660 143\r\n')]) {
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(parseProxyHeader(bytes.subarray(0, length)), undefined)
    }
  }
})

test('what is no header is refused', () => {
  const cases = [
    'GET / HTTP/1.1\r\n',
    'EHLO x\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 4660\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 4660 143 1\r\n',
    'PROXY TCP4 2001:db8::7 198.51.100.1 4660 143\r\n',
    'PROXY TCP6 192.0.2.7 198.51.100.1 4660 143\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 65536 143\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 -1 143\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 04660 143\r\n',
    'PROXY  TCP4 192.0.2.7 198.51.100.1 4660 143\r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}`,
  ]
  for (const text of cases) assert.throws(() => parseProxyHeader(Buffer.from(text)), RangeError, text)
  const version3 = Buffer.from(v4)
  version3[12] = 0x31
  assert.throws(() => parseProxyHeader(version3), RangeError)
  assert.throws(() => parseProxyHeader(binary(2, 0x11, Buffer.alloc(12))), RangeError)
  assert.throws(() => parseProxyHeader(binary(1, 0x11, Buffer.alloc(11))), RangeError)
  assert.throws(() => parseProxyHeader(binary(1, 0x11, Buffer.alloc(5000))), RangeError)
})

test('any bytes are a header, the start of one, or refused', () => {
  const start = fc.constantFrom(signature, Buffer.from('PROXY '), Buffer.from('PROXY TCP4 '), Buffer.alloc(0))
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 60 }), (head, tail) => {
      const bytes = Buffer.concat([head, tail])
      try {
        const header = parseProxyHeader(bytes)
        assert.ok(header === undefined || header.length <= bytes.length)
      } catch (error) {
        assert.ok(error instanceof RangeError)
      }
    }),
  )
})

/** What a listener makes of `bytes` from a loopback peer: who it says the client is, and its first line. */
async function say(t: TestContext, bytes: Buffer | string, trusted: string) {
  const { promise, resolve } = Promise.withResolvers<{ connection: Connection; line: string | undefined }>()
  const listener = await listen(t, {
    proxyNetworks: [parseNetwork(trusted)],
    limits: { proxyHeaderMs: 1000 },
    handle: async connection => {
      resolve({ connection, line: (await connection.readLine(200))?.toString() })
    },
  })
  const peer = connect(listener.port, '127.0.0.1')
  t.after(() => peer.destroy())
  const { received } = record(peer)
  peer.end(bytes)
  return { session: promise, received }
}

test('a trusted proxy says who the client is, who is then never loopback', async t => {
  const header = 'PROXY TCP4 127.0.0.1 198.51.100.1 4660 143\r\n'
  const { session } = await say(t, `${header}A1 NOOP\r\n`, '127.0.0.0/8')
  const { connection, line } = await session
  assert.equal(line, 'A1 NOOP')
  assert.equal(connection.remotePort, 4660)
  assert.equal(connection.isLoopback, false)
})

test('a PROXY header from elsewhere is only a first line: nobody can say who he is', async t => {
  const { session } = await say(t, 'PROXY TCP4 192.0.2.7 198.51.100.1 4660 143\r\n', '10.0.0.0/8')
  const { connection, line } = await session
  assert.match(line ?? '', /^PROXY TCP4/)
  assert.equal(connection.remoteAddress, '127.0.0.1')
})

test('a trusted proxy without a header is cut off', async t => {
  const { received } = await say(t, 'A1 NOOP\r\n', '127.0.0.0/8')
  assert.equal(await received(), '')
})
