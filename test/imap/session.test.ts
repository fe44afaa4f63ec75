import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { startImap } from './harness.ts'

test('the greeting tells the capabilities, and CAPABILITY repeats them (RFC 9051 §7.1)', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  assert.match(client.greeting, /^\* OK \[CAPABILITY IMAP4rev1 IMAP4rev2 .*AUTH=PLAIN/)
  const [line] = await client.ok('CAPABILITY')
  assert.ok(client.greeting.includes(line?.slice(2) ?? '?'))
})

test('LOGIN leads to the authenticated state and tells what can be done there', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  const { status, tagged } = await client.command('LOGIN alice@example.test secret')
  assert.equal(status, 'OK')
  assert.match(tagged, /^OK \[CAPABILITY .*\bQRESYNC\b/)
  assert.doesNotMatch(tagged, / AUTH=/)
})

test('a wrong password and an unknown name get the same answer', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  const wrong = await client.command('LOGIN alice@example.test nothing')
  const unknown = await client.command('LOGIN nobody@example.test nothing')
  assert.equal(wrong.tagged, unknown.tagged)
  assert.match(wrong.tagged, /^NO \[AUTHENTICATIONFAILED\]/)
})

test('LOGIN takes quoted strings and literals, and a name without a domain', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  client.send('a LOGIN {5}\r\n')
  assert.match((await client.line()) ?? '', /^\+ /)
  client.send('alice {6+}\r\nsecret\r\n')
  assert.equal((await client.answer('a')).status, 'OK')
})

test('AUTHENTICATE PLAIN works with and without an initial response', async t => {
  const server = await startImap(t)
  const secret = Buffer.from('\0alice@example.test\0secret').toString('base64')
  const first = await server.connect()
  assert.equal((await first.command(`AUTHENTICATE PLAIN ${secret}`)).status, 'OK')
  const second = await server.connect()
  second.send('a AUTHENTICATE PLAIN\r\n')
  assert.equal(await second.line(), '+ ')
  second.send(`${secret}\r\n`)
  assert.equal((await second.answer('a')).status, 'OK')
})

test('AUTHENTICATE can be given up, and bad base64 is BAD', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  client.send('a AUTHENTICATE PLAIN\r\n')
  await client.line()
  client.send('*\r\n')
  assert.equal((await client.answer('a')).status, 'BAD')
  assert.equal((await client.command('AUTHENTICATE PLAIN ???')).status, 'BAD')
  assert.equal((await client.command('AUTHENTICATE NOSUCH AA==')).status, 'NO')
  assert.equal((await client.command('NOOP')).status, 'OK')
})

test('commands for another state are BAD', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  for (const text of ['SELECT INBOX', 'FETCH 1 FLAGS', 'LIST "" *', 'IDLE']) {
    assert.equal((await client.command(text)).status, 'BAD', text)
  }
  await client.login()
  for (const text of ['LOGIN a b', 'FETCH 1 FLAGS', 'EXPUNGE', 'CLOSE', 'UNSELECT']) {
    assert.equal((await client.command(text)).status, 'BAD', text)
  }
})

test('what is no command is BAD, and after too many of them the connection ends', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  for (let count = 1; count < limits.imap.badCommands; count++) {
    assert.equal((await client.command('FROBNICATE')).status, 'BAD')
  }
  client.send('x FROBNICATE\r\n')
  assert.equal((await client.answer('x')).status, 'BAD')
  assert.match((await client.line()) ?? '', /^\* BYE/)
  assert.equal(await client.line(), undefined)
})

test('a line at the limit is read, one past it is BAD and the session goes on', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const line = (bytes: number) => `a NOOP${' '.repeat(bytes - 6)}\r\n`
  client.send(line(limits.imap.lineBytes))
  assert.equal((await client.answer('a')).status, 'OK')
  client.send(line(limits.imap.lineBytes + 1))
  assert.match((await client.line()) ?? '', /^\* BAD \[TOOBIG\]/)
  assert.equal((await client.command('NOOP')).status, 'OK')
})

test('an HTTP request ends the connection', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  client.send('POST / HTTP/1.1\r\nHost: localhost\r\n\r\na LOGIN alice@example.test secret\r\n')
  assert.match((await client.line()) ?? '', /^\* BYE/)
  assert.equal(await client.line(), undefined)
})

test('a large literal before log-in is refused before it is sent, and read away when it was not announced', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  const size = limits.imap.literalBeforeLoginBytes + 1
  client.send(`a LOGIN {${size}}\r\n`)
  assert.match((await client.line()) ?? '', /^a BAD \[TOOBIG\]/)
  client.send(`b LOGIN {${size}+}\r\n${'x'.repeat(size)} y\r\n`)
  assert.match((await client.line()) ?? '', /^b BAD \[TOOBIG\]/)
  await client.login()
})

test('a literal of absurd size ends the connection, and others go on', async t => {
  const server = await startImap(t)
  const other = await server.client()
  for (const size of ['18446744073709551616', '9'.repeat(100)]) {
    const client = await server.connect()
    client.send(`a LOGIN {${size}}\r\n`)
    assert.match((await client.line()) ?? '', /^\* BYE \[TOOBIG\]/)
    assert.equal(await client.line(), undefined)
  }
  assert.equal((await other.command('NOOP')).status, 'OK')
})

test('a million literals are refused', async t => {
  const server = await startImap(t)
  const client = await server.client()
  client.send('a SEARCH')
  for (let count = 0; count < 3000; count++) client.send(' OR {1+}\r\nx')
  client.send('\r\n')
  const line = await client.line()
  assert.match(line ?? '', /^a BAD|^\* BYE/)
})

test('LOGOUT says BYE, then OK', async t => {
  const server = await startImap(t)
  const client = await server.client()
  client.send('a LOGOUT\r\n')
  assert.match((await client.line()) ?? '', /^\* BYE/)
  assert.match((await client.line()) ?? '', /^a OK/)
  assert.equal(await client.line(), undefined)
})

test('pipelined commands are answered in order, in one write', async t => {
  const server = await startImap(t)
  const client = await server.client()
  let chunks = 0
  client.socket.on('data', () => chunks++)
  client.send('a NOOP\r\nb CAPABILITY\r\nc NOOP\r\n')
  for (const tag of ['a', 'b', 'c']) assert.equal((await client.answer(tag)).status, 'OK')
  assert.equal(chunks, 1)
})

test('ENABLE takes what it knows and passes over the rest (RFC 5161)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  assert.deepEqual(await client.ok('ENABLE CONDSTORE NOSUCH'), ['* ENABLED CONDSTORE'])
  assert.deepEqual(await client.ok('ENABLE QRESYNC IMAP4rev2'), ['* ENABLED QRESYNC IMAP4rev2'])
  assert.deepEqual(await client.ok('ENABLE QRESYNC'), ['* ENABLED'])
})

test('ID and NAMESPACE answer in any shape that clients send', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  assert.match((await client.ok('ID NIL'))[0] ?? '', /^\* ID \("name" "Restante"/)
  await client.ok('ID ("name" "x" "version" NIL)')
  assert.equal((await client.command('ID ("name")')).status, 'BAD')
  await client.login()
  assert.deepEqual(await client.ok('NAMESPACE'), [
    '* NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))',
  ])
})

test('the password never stands in an error', async t => {
  const server = await startImap(t)
  const client = await server.connect()
  const { tagged } = await client.command('LOGIN alice@example.test "canary-password')
  assert.doesNotMatch(tagged, /canary/)
})
