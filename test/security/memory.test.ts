// What peers can make the server hold: before log-in by many, after log-in by one. CVE-2024-34055, CVE-2024-37358, CVE-2025-61600, CVE-2026-27857.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { limits } from '../../src/base/limits.ts'
import { goesOn, type Protocol, startAll } from './all-protocols.ts'

const megabyte = 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes in Buffers that are in use. */
function heldBytes(): number {
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

test('an APPEND of endlessly many messages is refused before it holds much, and the connection goes on (RFC 3502)', async t => {
  const servers = await startAll(t, { place: 'disk' })
  const peer = await servers.enter('imap')
  const message = Buffer.alloc(limits.store.inlineBodyBytes, 'x')
  const next = Buffer.concat([Buffer.from(` {${message.length}+}\r\n`), message])
  const before = process.memoryUsage().rss
  peer.send('a APPEND INBOX')
  for (let count = 0; count < 4 * limits.imap.appendMessages; count++) await peer.push(next)
  peer.send('\r\n')
  assert.match(await peer.until(/^a .*\r\n/m), /^a NO \[LIMIT\]/m)
  const grown = process.memoryUsage().rss - before
  assert.ok(grown < 64 * megabyte, `${Math.round(grown / megabyte)} MB`)
  await goesOn(peer, 'imap')
  assert.match(await peer.ask('b STATUS INBOX (MESSAGES)', /^b .*\r\n/m), /MESSAGES 0/)
})

test('an APPEND of as many messages as are allowed is taken', async t => {
  const servers = await startAll(t)
  const peer = await servers.enter('imap')
  const message = 'Subject: one of many\r\n\r\nHello\r\n'
  peer.send('a APPEND INBOX')
  for (let count = 0; count < limits.imap.appendMessages; count++) {
    peer.send(` {${message.length}+}\r\n${message}`)
  }
  peer.send('\r\n')
  assert.match(await peer.until(/^a .*\r\n/m), /^a OK \[APPENDUID \d+ 1:100\]/m)
})

/** As much as a stranger may say without ending a command. */
const unfinished: readonly (readonly [Protocol, string])[] = [
  ['imap', `a ID ${'x'.repeat(12_000)}`],
  ['imap', `a LOGIN {4096+}\r\n${'x'.repeat(4096)} ${'y'.repeat(12_000)}`],
  ['pop3', `AUTH PLAIN ${'x'.repeat(12_000)}`],
  ['smtp', `EHLO ${'x'.repeat(12_000)}`],
  ['submission', `EHLO ${'x'.repeat(12_000)}`],
  ['lmtp', `LHLO ${'x'.repeat(12_000)}`],
]

for (const [protocol, bytes] of unfinished) {
  test(`${protocol}: 1,000 strangers who say ${bytes.slice(0, 7)}… and no end cost at most 24 KB each`, async t => {
    const servers = await startAll(t)
    const other = await servers.enter(protocol)
    const before = heldBytes()
    const strangers = 1000
    // One for all: what is measured is the server's.
    const said = Buffer.from(bytes)
    const sockets: Socket[] = []
    for (let count = 0; count < strangers; count++) {
      const socket = connect(servers.port(protocol), '127.0.0.1')
      socket.pause()
      socket.on('error', () => {})
      socket.write(said)
      sockets.push(socket)
      if (count % 100 === 99) await once(socket, 'connect')
    }
    t.after(() => {
      for (const socket of sockets) socket.destroy()
    })
    const each = () => (heldBytes() - before) / strangers
    while (servers.open(protocol) < strangers + 1) await goesOn(other, protocol)
    // What they have said arrives while others go on; it is all there once it is as much as was said, give or take.
    for (let round = 0; round < 50 && each() < 0.9 * bytes.length; round++) await goesOn(other, protocol)
    const bytesEach = each()
    assert.ok(bytesEach > 0.7 * bytes.length, `${Math.round(bytesEach)} bytes each: not all has arrived`)
    assert.ok(bytesEach < 24 * 1024, `${Math.round(bytesEach)} bytes each`)
    for (const socket of sockets) assert.equal(socket.readyState, 'open')
  })
}

test('a line before log-in is as long as an OAuth token needs, and no longer', async t => {
  const servers = await startAll(t)
  const peer = await servers.connect('imap')
  const max = limits.imap.lineBeforeLoginBytes
  assert.match(await peer.ask(`a ID ("x" "${'y'.repeat(max - 13)}")`, /\r\n$/), /^a (?:BAD|OK)/m)
  assert.match(await peer.ask(`b ID ("x" "${'y'.repeat(max - 12)}")`, /\r\n$/), /^\* BAD \[TOOBIG\]/)
  await goesOn(peer, 'imap')
})
