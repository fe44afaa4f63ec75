// RETR, TOP, LIST, UIDL and the snapshot that they read. RFC 1939 §5, §7, §8, §11.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import { createAccount } from '../../src/account/directory.ts'
import { limits } from '../../src/base/limits.ts'
import { findMailbox } from '../../src/store/read/mailboxes.ts'
import type { Store } from '../../src/store/store.ts'
import type { UidRanges } from '../../src/store/uid-ranges.ts'
import { DotStuffer } from '../../src/pop3/dot-stuffing.ts'
import { TopLines } from '../../src/pop3/top-lines.ts'
import { isOnPostgres } from '../open-test-store.ts'
import { Client, letter, password, startServer, type TestServer } from './client.ts'
import { valuesOf } from '../store/snapshot-values.ts'

async function expunge(server: TestServer, ...ranges: UidRanges): Promise<void> {
  const { account, store } = server
  await store.mutate('expungeMessages', {
    account,
    mailbox: await server.inbox(),
    uids: ranges,
    onlyDeleted: false,
  })
}

test('LIST, UIDL and STAT leave out what is deleted; numbers stay', async t => {
  const server = await startServer(t)
  await server.deliver(letter('one'), letter('two', 5), letter('three', 9))
  const client = await server.logIn()
  const sizes = [letter('one'), letter('two', 5), letter('three', 9)].map(text => text.length)
  assert.equal(await client.command('LIST 2'), `+OK 2 ${sizes[1]}`)
  const before = await client.listing('UIDL')
  assert.equal(await client.command('UIDL 2'), `+OK ${before.lines[1]}`)
  await client.command('DELE 2')
  assert.equal(await client.command('STAT'), `+OK 2 ${(sizes[0] ?? 0) + (sizes[2] ?? 0)}`)
  assert.deepEqual((await client.listing('LIST')).lines, [`1 ${sizes[0]}`, `3 ${sizes[2]}`])
  assert.deepEqual((await client.listing('UIDL')).lines, [before.lines[0], before.lines[2]])
  for (const command of ['LIST 2', 'UIDL 2', 'RETR 2', 'TOP 2 0', 'DELE 2']) {
    assert.equal(await client.command(command), '-ERR message 2 already deleted')
  }
  assert.equal(await client.command('UIDL 4'), '-ERR no such message, only 3 messages in maildrop')
})

test('LIST and UIDL of an empty maildrop are empty and positive', async t => {
  const client = await (await startServer(t)).logIn()
  assert.deepEqual(await client.listing('LIST'), {
    status: '+OK maildrop has 0 messages (0 octets)',
    lines: [],
  })
  assert.deepEqual(await client.listing('UIDL'), { status: '+OK unique-id listing follows', lines: [] })
})

test('a unique id is printable, at most 70 characters, one message’s own, and the same in the next session', async t => {
  const server = await startServer(t)
  await server.deliver(letter('same'), letter('same'), letter('same'))
  const first = await server.logIn()
  const ids = (await first.listing('UIDL')).lines.map(line => line.split(' ')[1] ?? '')
  for (const id of ids) assert.match(id, /^[\x21-\x7e]{1,70}$/)
  assert.equal(new Set(ids).size, 3)
  await first.command('DELE 3')
  await first.command('QUIT')
  await server.deliver(letter('new'))
  const again = (await (await server.logIn()).listing('UIDL')).lines.map(line => line.split(' ')[1] ?? '')
  assert.deepEqual(again.slice(0, 2), ids.slice(0, 2))
  assert.ok(!ids.includes(again[2] ?? ''), 'a unique id is never used again')
})

test('mail that arrives during the session waits for the next; what IMAP expunges is no such message', async t => {
  const server = await startServer(t)
  await server.deliver(letter('one'), letter('two'), letter('three'))
  const client = await server.logIn()
  await server.deliver(letter('four'))
  await expunge(server, [2, 2])
  assert.match(await client.command('STAT'), /^\+OK 3 /)
  assert.match(await client.command('LIST 4'), /^-ERR no such message/)
  assert.equal(await client.command('RETR 2'), '-ERR no such message')
  assert.equal(await client.command('TOP 2 1'), '-ERR no such message')
  assert.equal((await client.message('RETR 3')).toString(), letter('three'))
  await client.command('DELE 2')
  await client.command('DELE 3')
  assert.equal(await client.command('QUIT'), '+OK POP3 server signing off (1 message left)')
  const left = await server.store.snapshot(server.account, await server.inbox())
  assert.deepEqual(valuesOf(left.uids, left.count), [1, 4])
})

test('a message that was moved away between two commands of one session is no such message', async t => {
  const server = await startServer(t)
  await server.deliver(letter('one'), letter('two'))
  const client = await server.logIn()
  await client.message('RETR 1')
  const { account, store } = server
  const target = await store.reader.get<{ id: number }>(
    `SELECT id FROM mailbox WHERE account = ? AND name = 'Trash'`,
    account,
  )
  await store.mutate('moveMessages', {
    account,
    mailbox: await server.inbox(),
    uids: [[1, 2]],
    target: target?.id as Awaited<ReturnType<TestServer['inbox']>>,
  })
  assert.equal(await client.command('RETR 1'), '-ERR no such message')
  assert.equal(await client.command('RETR 2'), '-ERR no such message')
})

test('when the mailbox behind a maildrop is removed its messages are no such messages, and the session goes on', async t => {
  const server = await startServer(t, { pop3: { mailbox: 'Archive' } })
  await server.deliver(letter('one'))
  const { account, store } = server
  const archive = (await findMailbox(store.reader, account, 'Archive'))?.id
  assert.ok(archive)
  await store.mutate('moveMessages', {
    account,
    mailbox: await server.inbox(),
    uids: [[1, 1]],
    target: archive,
  })
  const client = await server.logIn()
  assert.equal((await client.message('RETR 1')).toString(), letter('one'))
  await store.mutate('deleteMailbox', { account, mailbox: archive })
  assert.equal(await client.command('RETR 1'), '-ERR no such message')
  assert.match(await client.command('STAT'), /^\+OK 1 /)
})

test('TOP gives the header, the empty line and so many lines of the body', async t => {
  const server = await startServer(t)
  const bare = 'Subject: bare\r\nX: y'
  await server.deliver(
    letter('one', 5),
    '\r\nno header\r\nat all\r\n',
    bare,
    'Subject: lf\n\nfirst\nsecond\n',
  )
  const client = await server.logIn()
  const header = 'From: bob@example.com\r\nTo: ann@example.org\r\nSubject: one\r\n\r\n'
  assert.equal((await client.message('TOP 1 0')).toString(), header)
  assert.equal((await client.message('TOP 1 2')).toString(), `${header}line 1\r\nline 2\r\n`)
  assert.equal((await client.message('TOP 1 5')).toString(), letter('one', 5))
  assert.equal((await client.message('TOP 1 4000000000')).toString(), letter('one', 5))
  assert.equal((await client.message('TOP 2 1')).toString(), '\r\nno header\r\n')
  assert.equal((await client.message('TOP 3 1')).toString(), `${bare}\r\n`)
  client.send('TOP 4 1\r\n')
  assert.equal(await client.line(), '+OK top of message follows')
  assert.equal((await client.body()).toString(), 'Subject: lf\n\nfirst\n\r\n')
})

test('dots at the start of a line are doubled, and a last line without its end gets one (RFC 1939 §3)', async t => {
  const server = await startServer(t)
  const messages = [
    'Subject: dots\r\n\r\n.\r\n..\r\n.x\r\ny.\r\n\r\n.\r\n',
    '.hidden: x\r\n\r\n.',
    'Subject: smuggled\n\n.\n+OK forged\n.\r\nRETR\r\n.\n',
    '\r\n',
    '.',
    '\n',
    'ends with CR\r',
    '',
  ]
  await server.deliver(...messages)
  const client = await server.logIn()
  for (const [index, message] of messages.entries()) {
    const got = (await client.message(`RETR ${index + 1}`)).toString()
    const isWhole = message === '' || message.endsWith('\r\n')
    assert.equal(got, isWhole ? message : `${message}\r\n`, JSON.stringify(message))
  }
  assert.match(await client.command('NOOP'), /^\+OK/)
})

test('a stuffed message is what it was, however it is cut, and ends in one place only', () => {
  const byte = fc.constantFrom(...Buffer.from('\r\n..\r\n.ab'))
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), fc.array(fc.nat(60), { maxLength: 6 }), (bytes, cuts) => {
      const message = Buffer.from(bytes)
      const stuffer = new DotStuffer()
      const pieces: Buffer[] = []
      let start = 0
      for (const cut of [...cuts.sort((a, b) => a - b), message.length]) {
        const end = Math.min(Math.max(cut, start), message.length)
        pieces.push(...stuffer.stuff(message.subarray(start, end)))
        start = end
      }
      pieces.push(Buffer.from(stuffer.end()))
      const wire = Buffer.concat(pieces).toString('latin1')
      // A client that splits lines at CRLF, and one that splits at LF, both find the end at the end.
      assert.ok(wire === '.\r\n' || wire.endsWith('\r\n.\r\n'))
      assert.equal(wire.search(/(^|\n)\.\r?\n/), wire.length - (wire.length === 3 ? 3 : 4))
      const unstuffed = wire.slice(0, -3).replaceAll(/(^|\n)\./g, '$1')
      const whole = message.toString('latin1')
      assert.equal(unstuffed, whole === '' || whole.endsWith('\r\n') ? whole : `${whole}\r\n`)
    }),
    { numRuns: 3000 },
  )
})

test('the top of a message is the same, however it is cut', () => {
  const byte = fc.constantFrom(...Buffer.from('\r\n\r\n\nab'))
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), fc.nat(4), fc.nat(60), (bytes, lines, cut) => {
      const message = Buffer.from(bytes)
      const whole = new TopLines(lines).take(message)
      const top = new TopLines(lines)
      const first = top.take(message.subarray(0, cut))
      const second = top.isDone ? Buffer.alloc(0) : top.take(message.subarray(cut))
      assert.deepEqual(Buffer.concat([first, second]), whole)
      const text = message.toString('latin1')
      const header = /^(?:[^\n]*[^\r\n][^\n]*\n|\r{2,}\n)*?\r*\n/.exec(text)?.[0]
      if (header !== undefined) {
        const rest = text.slice(header.length)
        const body = rest.split('\n').slice(0, lines).join('\n')
        const expected = header + (rest.split('\n').length > lines && lines > 0 ? `${body}\n` : body)
        assert.equal(whole.toString('latin1'), expected)
      } else assert.equal(whole.toString('latin1'), text)
    }),
    { numRuns: 3000 },
  )
})

test('a message of many megabytes comes whole, to a client that reads slowly, in bounded memory', async t => {
  const server = await startServer(t)
  const line = `.${'x'.repeat(70)}\r\n`
  const big = `Subject: big\r\n\r\n${line.repeat(250_000)}`
  await server.deliver(big, letter('after'))
  const client = await server.logIn()
  const reads = t.mock.method(server.store as Required<Store>, isOnPostgres ? 'readBody' : 'openBody')
  client.socket.pause()
  client.send('RETR 1\r\nTOP 1 3\r\nRETR 2\r\n')
  // Another session is served while this one does not read, until the system's buffers are full and nothing more is read for it.
  const other = await server.connect()
  let before = -1
  while (reads.mock.callCount() !== before || before === 0) {
    before = reads.mock.callCount()
    for (let i = 0; i < 100; i++) await other.listing('CAPA')
  }
  const pieces = Math.ceil(big.length / limits.pop3.pieceBytes)
  assert.ok(before < pieces, `${before} of ${pieces} pieces read`)
  client.socket.resume()
  assert.equal(await client.line(), `+OK ${big.length} octets`)
  const got = await client.body()
  assert.equal(got.length, big.length)
  assert.ok(got.equals(Buffer.from(big)))
  assert.equal(await client.line(), '+OK top of message follows')
  assert.equal((await client.body()).toString(), `Subject: big\r\n\r\n${line.repeat(3)}`)
  await client.line()
  assert.equal((await client.body()).toString(), letter('after'))
})

test('1,000 pipelined RETR are answered in order, with one look-up for many (RFC 2449 §6.6)', async t => {
  const server = await startServer(t)
  const messages = Array.from({ length: 1000 }, (_, i) => letter(`message ${i}`))
  await server.deliver(...messages)
  const client = await server.logIn()
  const reads = t.mock.method(server.store.reader, 'arrays')
  client.send(messages.map((_, i) => `RETR ${i + 1}\r\n`).join(''))
  for (const message of messages) {
    assert.equal(await client.line(), `+OK ${message.length} octets`)
    assert.equal((await client.body()).toString(), message)
  }
  // Where a body comes later, commands that arrive meanwhile make a turn of their own.
  const most = isOnPostgres ? 1000 : 40
  assert.ok(reads.mock.callCount() < most, `${reads.mock.callCount()} look-ups`)
})

test('commands of all kinds in one piece are answered in turn (RFC 2449 §6.6)', async t => {
  const server = await startServer(t)
  await server.deliver(letter('one'), letter('two'))
  const client = await Client.connect(t, server.port)
  client.send(
    'CAPA\r\nUSER ann\r\nPASS correct horse\r\nSTAT\r\nRETR 2\r\nDELE 2\r\nRETR 2\r\nUIDL 1\r\nQUIT\r\nNOOP\r\n',
  )
  assert.match(await client.line(), /ready$/)
  assert.match(await client.line(), /^\+OK/)
  await client.lines()
  assert.match(await client.line(), /^\+OK send/)
  assert.match(await client.line(), /^\+OK maildrop has 2/)
  assert.match(await client.line(), /^\+OK 2 /)
  await client.line()
  assert.equal((await client.body()).toString(), letter('two'))
  assert.equal(await client.line(), '+OK message 2 deleted')
  assert.equal(await client.line(), '-ERR message 2 already deleted')
  assert.match(await client.line(), /^\+OK 1 /)
  assert.equal(await client.rest(), '+OK POP3 server signing off (1 message left)\r\n')
})

test('messages of all sizes come as they are to a slow client and to those who are served beside him', async t => {
  const server = await startServer(t)
  const bob = await createAccount(server.directory, { address: 'bob@example.org', password })
  const sizes = [1, 5000, 16_300, 16_500, 100_000, 262_000, 262_300, 2_000_000]
  const lettersTo = (name: string) =>
    sizes.map(bytes => `Subject: ${name}\r\n\r\n${`.${name} ${bytes}\r\n`.repeat(bytes / 14 + 1)}`)
  await server.deliver(...lettersTo('ann'))
  await server.deliverTo(bob, ...lettersTo('bob'))
  const [slow, quick] = [await server.logIn(), await server.logIn('bob')]
  const assertMessage = (body: Buffer, name: string, number: number) =>
    assert.ok(body.toString('latin1') === lettersTo(name)[number - 1], `message ${number} to ${name}`)
  // Many times, so that no buffer of the system holds all of it.
  const numbers = sizes.map((_size, at) => at + 1)
  const often = [...numbers, ...numbers, ...numbers, ...numbers, ...numbers]
  slow.send(often.map(number => `RETR ${number}\r\n`).join(''))
  await once(slow.socket, 'data')
  slow.socket.pause()
  for (const number of numbers) assertMessage(await quick.message(`RETR ${number}`), 'bob', number)
  slow.socket.resume()
  for (const number of often) {
    assert.match(await slow.line(), /^\+OK /)
    assertMessage(await slow.body(), 'ann', number)
  }
})
