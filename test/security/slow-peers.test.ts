// Peers that give or take bytes slowly, or fall silent: each is cut off in time, holds little, and others go on. CVE-2025-59028; slow loris.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { summarize } from '../../src/message/summary.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { noFlags } from '../../src/store/flags.ts'
import { findMailbox } from '../../src/store/read/mailboxes.ts'
import { goesOn, type Peer, type Protocol, protocols, type Servers, startAll } from './all-protocols.ts'
import { heldBytes } from './held-bytes.ts'

/** Time that only the test moves, for every deadline of every connection. */
function manualDeadlines() {
  let nowMs = 0
  const deadlines = new Deadlines({ now: () => nowMs })
  const advance = (ms: number) => {
    nowMs += ms
    deadlines.check()
  }
  return { deadlines, advance }
}

const second = 1000
const minute = 60 * second

for (const protocol of protocols) {
  test(`${protocol}: a stranger who says nothing is sent away within five minutes`, async t => {
    const { deadlines, advance } = manualDeadlines()
    const servers = await startAll(t, { deadlines })
    const peer = await servers.connect(protocol)
    advance(5 * minute + second)
    // What is left is the farewell; then the connection ends, though the peer never closes his side.
    await peer.rest()
    assert.ok(peer.isEnded)
  })

  test(`${protocol}: a command at one byte a second is cut off after a minute or so, however long it is`, async t => {
    const { deadlines, advance } = manualDeadlines()
    const servers = await startAll(t, { deadlines })
    const peer = await servers.connect(protocol)
    const seconds = await drip(servers, protocol, peer, advance, 300)
    assert.ok(seconds >= 30 && seconds <= 125, `after ${seconds} s`)
  })
}

/** Gives one byte a second; the count of seconds until the server ended the connection. */
async function drip(
  servers: Servers,
  protocol: Protocol,
  peer: Peer,
  advance: (ms: number) => void,
  maxSeconds: number,
): Promise<number> {
  for (let seconds = 0; seconds < maxSeconds; seconds++) {
    if (peer.isEnded) return seconds
    await peer.push(Buffer.from('x'))
    // A round trip on another connection: by then the server has seen the byte.
    if (seconds % 10 === 0) await goesOn(await servers.connect(protocol), protocol)
    advance(second)
  }
  return maxSeconds
}

test('a message at one byte a second is cut off in APPEND, DATA and BDAT, and leaves nothing', async t => {
  const { deadlines, advance } = manualDeadlines()
  const servers = await startAll(t, { deadlines })
  const begin: readonly (readonly [Protocol, readonly (readonly [string, RegExp])[]])[] = [
    ['imap', [['a APPEND INBOX {100000}', /^\+ .*\r\n$/m]]],
    ['smtp', [...envelope('a@example.com'), ['DATA', /^354.*\r\n$/m]]],
    ['smtp', [...envelope('a@example.com'), ['BDAT 100000 LAST', /^$/]]],
    ['submission', [...envelope('ann@example.org'), ['DATA', /^354.*\r\n$/m]]],
    ['lmtp', [...envelope('a@example.com'), ['DATA', /^354.*\r\n$/m]]],
  ]
  for (const [protocol, steps] of begin) {
    const peer = await servers.enter(protocol)
    for (const [line, answer] of steps) await peer.ask(line, answer)
    const seconds = await drip(servers, protocol, peer, advance, 400)
    assert.ok(seconds < 300, `${protocol}: after ${seconds} s`)
  }
  assert.equal(await count(servers), 0)
})

function envelope(from: string): readonly (readonly [string, RegExp])[] {
  return [
    [`MAIL FROM:<${from}>`, /^250.*\r\n$/m],
    ['RCPT TO:<bob@example.org>', /^250.*\r\n$/m],
  ]
}

async function count(servers: Servers): Promise<number> {
  let messages = 0
  for (const account of [servers.ann, servers.bob]) {
    const inbox = await findMailbox(servers.store.reader, account, 'INBOX')
    if (inbox) messages += (await servers.store.snapshot(account, inbox.id)).count
  }
  return messages
}

const floods: readonly (readonly [Protocol, string])[] = [
  ['imap', 'f FETCH 1:* (BODY.PEEK[])\r\n'],
  ['imap', 'f FETCH 1:* (BODYSTRUCTURE ENVELOPE)\r\n'],
  ['imap', 'f LIST "" *\r\n'],
  ['imap', 'f CAPABILITY\r\n'],
  ['pop3', 'RETR 1\r\n'],
  ['pop3', 'UIDL\r\n'],
  ['smtp', 'EHLO a.example\r\n'],
  ['submission', 'EHLO a.example\r\n'],
  ['lmtp', 'LHLO a.example\r\n'],
]

for (const [protocol, command] of floods) {
  test(`${protocol}: who asks for ${command.trim()} without end and reads nothing is held back, cut off, and disturbs nobody`, async t => {
    const { deadlines, advance } = manualDeadlines()
    const servers = await startAll(t, { deadlines })
    await fill(servers)
    const other = await servers.enter(protocol, 'bob')
    const peer = await servers.enter(protocol)
    if (protocol === 'imap') await peer.ask('s SELECT INBOX', /^s OK.*\r\n$/m)
    peer.socket.pause()
    const before = heldBytes()
    // The server stops reading, so at some point nothing more can be sent. That it has is seen by what stays unsent.
    const commands = Buffer.from(command.repeat(Math.ceil(65_536 / command.length)))
    for (let round = 0; round < 400 && peer.socket.writableLength < 4 * 1024 * 1024; round++) {
      peer.socket.write(commands)
      if (round % 4 === 0) await goesOn(other, protocol)
    }
    assert.ok(
      peer.socket.writableLength >= 4 * 1024 * 1024,
      'the server goes on reading from who does not read',
    )
    const grown = heldBytes() - before
    // Some of it is this client's own.
    assert.ok(grown < 64 * 1024 * 1024, `${Math.round(grown / 1e6)} MB`)
    const closed = new Promise(resolve => peer.socket.once('close', resolve))
    for (let seconds = 0; seconds < 300 && !peer.isEnded; seconds += 10) {
      advance(10 * second)
      await goesOn(other, protocol)
      if (servers.open(protocol) === 1) break
    }
    assert.equal(servers.open(protocol), 1, 'the connection is gone')
    peer.socket.resume()
    await closed
  })
}

/** Some mail for ann that is more than the buffers of a socket hold. */
async function fill({ store, ann }: Servers): Promise<void> {
  const inbox = await findMailbox(store.reader, ann, 'INBOX')
  assert.ok(inbox)
  const bytes = Buffer.from(`Subject: large\r\n\r\n${'0123456789abcdef\r\n'.repeat(60_000)}`)
  const message = { body: store.bodyOf(bytes), email: summarize(bytes), flags: noFlags }
  await store.mutate('appendMessages', { account: ann, mailbox: inbox.id, messages: Array(40).fill(message) })
}
