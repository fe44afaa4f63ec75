// A stream with no line end, on every port and in every state: bounded memory, the connection ends, others go on. CVE-2026-38728, CVE-2026-27858.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goesOn, type Peer, protocols, startAll } from './all-protocols.ts'

const chunk = Buffer.alloc(256 * 1024, 'a')
const streamBytes = 48 * 1024 * 1024

/** Sends without an end until the other side hangs up; the bytes that went out. */
async function stream(peer: Peer): Promise<number> {
  let sent = 0
  while (sent < streamBytes && (await peer.push(chunk))) sent += chunk.length
  return sent
}

for (const protocol of protocols) {
  test(`${protocol}: an endless line is cut off in bounded memory, before and after log-in, and others go on`, async t => {
    const servers = await startAll(t)
    const other = await servers.enter(protocol, 'bob')
    for (const open of [() => servers.connect(protocol), () => servers.enter(protocol)]) {
      const peer = await open()
      const before = process.memoryUsage().rss
      const sent = await stream(peer)
      await goesOn(other, protocol)
      const grown = process.memoryUsage().rss - before
      assert.ok(sent < streamBytes, `cut off, not after ${sent} bytes`)
      assert.ok(grown < 64 * 1024 * 1024, `${Math.round(grown / 1e6)} MB`)
      await peer.rest()
    }
  })
}

test('an endless response to a SASL challenge is cut off likewise', async t => {
  const servers = await startAll(t)
  const exchanges = [
    ['imap', 'a AUTHENTICATE PLAIN', /^\+ .*\r\n$/m],
    ['pop3', 'AUTH PLAIN', /^\+ .*\r\n$/m],
    ['submission', 'AUTH PLAIN', /^334 .*\r\n$/m],
  ] as const
  for (const [protocol, command, challenge] of exchanges) {
    const other = await servers.enter(protocol, 'bob')
    const peer = await servers.connect(protocol)
    if (protocol === 'submission') await peer.ask('EHLO a.example', /^250 .*\r\n$/m)
    await peer.ask(command, challenge)
    const sent = await stream(peer)
    assert.ok(sent < streamBytes, `${protocol}: cut off, not after ${sent} bytes`)
    await goesOn(other, protocol)
  }
})
