// What one client can make the server hold. CVE-2024-34055, CVE-2024-37358, CVE-2025-61600, CVE-2026-27857.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteBudget } from '../../src/base/byte-budget.ts'
import { limits } from '../../src/base/limits.ts'
import { goesOn, startAll } from './all-protocols.ts'

const megabyte = 1024 * 1024

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

test('a line before log-in is as long as an OAuth token needs, and no longer', async t => {
  const servers = await startAll(t)
  const peer = await servers.connect('imap')
  const max = limits.imap.lineBeforeLoginBytes
  assert.match(await peer.ask(`a ID ("x" "${'y'.repeat(max - 13)}")`, /\r\n$/), /^a (?:BAD|OK)/m)
  assert.match(await peer.ask(`b ID ("x" "${'y'.repeat(max - 12)}")`, /\r\n$/), /^\* BAD \[TOOBIG\]/)
  await goesOn(peer, 'imap')
})

test('large messages that end at once are finished in turns, and small ones do not wait for them', async t => {
  const largeMessages = new ByteBudget(limits.smtp.largeMessagesBytes)
  const servers = await startAll(t, { largeMessages })
  const all = Promise.withResolvers<void>()
  const held = largeMessages.run(limits.smtp.largeMessagesBytes, () => all.promise)
  const begin = async () => {
    const peer = await servers.enter('smtp')
    return peer
      .ask('MAIL FROM:<a@example.com>\r\nRCPT TO:<ann@example.org>\r\nDATA', /^354.*\r\n$/m)
      .then(() => peer)
  }
  const content = `Subject: large\r\n\r\n${'x'.repeat(998)}\r\n${'y\r\n'.repeat(limits.smtp.smallMessageBytes / 3)}.`
  const large = [await begin(), await begin()]
  const answers = large.map(peer => peer.ask(content, /^\d.*\r\n$/m))
  const small = await begin()
  assert.match(await small.ask('Subject: small\r\n\r\nx\r\n.', /\r\n$/), /^250 /)
  assert.deepEqual(
    large.map(peer => peer.heard),
    ['', ''],
  )
  all.resolve()
  await held
  for (const answer of answers) assert.match(await answer, /^250 /)
})
