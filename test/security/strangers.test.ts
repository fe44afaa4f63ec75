// What many strangers can make the server hold, each saying as much as he may before log-in. A file of its own: memory is measured.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { goesOn, type Protocol, startAll } from './all-protocols.ts'
import { bufferBytes } from './held-bytes.ts'

/** As much as may be said without ending a command. */
const unfinished: readonly (readonly [Protocol, string])[] = [
  ['imap', `a ID ${'x'.repeat(12_000)}`],
  ['imap', `a LOGIN {4096+}\r\n${'x'.repeat(4096)} ${'y'.repeat(12_000)}`],
  ['pop3', `AUTH PLAIN ${'x'.repeat(12_000)}`],
  ['smtp', `EHLO ${'x'.repeat(12_000)}`],
  ['submission', `EHLO ${'x'.repeat(12_000)}`],
  ['lmtp', `LHLO ${'x'.repeat(12_000)}`],
]

/** All of them on the port that holds the most, some on the others. */
const countOf = (protocol: Protocol) => (protocol === 'imap' ? 1000 : 250)

test('1,000 strangers who say as much as they may, and no end, cost at most 24 KB each on every port', {
  timeout: 60_000,
}, async t => {
  const servers = await startAll(t)
  for (const [protocol, bytes] of unfinished) {
    const other = await servers.enter(protocol)
    const strangers = countOf(protocol)
    // One for all: what is measured is the server's.
    const said = Buffer.from(bytes)
    const before = bufferBytes()
    const sockets: Socket[] = []
    t.after(() => {
      for (const socket of sockets) socket.destroy()
    })
    for (let count = 0; count < strangers; count++) {
      const socket = connect(servers.port(protocol), '127.0.0.1')
      socket.pause()
      socket.on('error', () => {})
      socket.write(said)
      sockets.push(socket)
      if (count % 100 === 99) await once(socket, 'connect')
    }
    const each = () => (bufferBytes() - before) / strangers
    while (servers.open(protocol) < strangers + 1) await goesOn(other, protocol)
    // What they have said arrives while others go on. Other things are freed meanwhile, so all of it may never be seen.
    for (let round = 0; round < 600 && (round % 20 > 0 || each() < 0.9 * bytes.length); round++) {
      await goesOn(other, protocol)
    }
    const bytesEach = each()
    // The first is measured from a clean start; what the others leave is freed at its own time, in the next one's account.
    if (bytes === unfinished[0]?.[1])
      assert.ok(bytesEach > 0.5 * bytes.length, `${Math.round(bytesEach)} bytes each: it has not come`)
    t.diagnostic(`${protocol}: ${Math.round(bytesEach)} bytes each`)
    assert.ok(bytesEach < 24 * 1024, `${protocol}: ${Math.round(bytesEach)} bytes each`)
    for (const socket of sockets) socket.destroy()
    other.socket.destroy()
    const last = await servers.connect('smtp')
    while (servers.open(protocol) > (protocol === 'smtp' ? 1 : 0)) await goesOn(last, 'smtp')
    last.socket.destroy()
  }
})
