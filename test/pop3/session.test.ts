// The whole session of RFC 1939 §10, states, limits and ends.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { createSharedSecret } from '../../src/account/set-password.ts'
import { limits } from '../../src/base/limits.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { Client, letter, startServer } from './client.ts'

test('a session as in RFC 1939 §10', async t => {
  const server = await startServer(t, { account: { login: { sharedSecrets: true } } })
  const [first, second] = [letter('one'), letter('two', 7)]
  await server.deliver(first, second)
  const secret = await createSharedSecret(server.directory, server.account)
  const client = await Client.connect(t, server.port)
  const greeting = await client.line()
  const [, timestamp] =
    /^\+OK POP3 server ready (<[0-9a-f]+\.[0-9]+@mail\.example\.org>)$/.exec(greeting) ?? []
  const digest = createHash('md5').update(`${timestamp}${secret}`).digest('hex')
  const total = first.length + second.length
  assert.equal(await client.command(`APOP ann ${digest}`), `+OK maildrop has 2 messages (${total} octets)`)
  assert.equal(await client.command('STAT'), `+OK 2 ${total}`)
  assert.deepEqual(await client.listing('LIST'), {
    status: `+OK maildrop has 2 messages (${total} octets)`,
    lines: [`1 ${first.length}`, `2 ${second.length}`],
  })
  assert.equal(await client.command('RETR 1'), `+OK ${first.length} octets`)
  assert.equal((await client.body()).toString(), first)
  assert.equal(await client.command('DELE 1'), '+OK message 1 deleted')
  assert.equal((await client.message('RETR 2')).toString(), second)
  assert.equal(await client.command('DELE 2'), '+OK message 2 deleted')
  assert.equal(await client.command('QUIT'), '+OK POP3 server signing off (maildrop empty)')
  assert.ok(await client.closed())
  const again = await server.logIn()
  assert.equal(await again.command('STAT'), '+OK 0 0')
})

test('the greeting has a timestamp only where APOP is offered, and another each time', async t => {
  const without = await startServer(t)
  const plain = await Client.connect(t, without.port)
  assert.equal(await plain.line(), '+OK POP3 server ready')
  const server = await startServer(t, { account: { login: { sharedSecrets: true } } })
  const greetings = new Set<string>()
  for (let i = 0; i < 5; i++) greetings.add(await (await Client.connect(t, server.port)).line())
  assert.equal(greetings.size, 5)
})

test('each command belongs to its state', async t => {
  const server = await startServer(t)
  await server.deliver(letter('one'))
  const client = await server.connect()
  for (const command of ['STAT', 'LIST', 'LIST 1', 'RETR 1', 'DELE 1', 'NOOP', 'RSET', 'TOP 1 0', 'UIDL']) {
    assert.equal(await client.command(command), '-ERR log in first', command)
    assert.match(await client.command('CAPA'), /^\+OK/)
    await client.lines()
  }
  const inside = await server.logIn()
  for (const command of ['USER ann', 'PASS x', `APOP ann ${'0'.repeat(32)}`, 'AUTH PLAIN', 'STLS', 'UTF8']) {
    assert.equal(await inside.command(command), '-ERR you are logged in already', command)
    assert.match(await inside.command('NOOP'), /^\+OK/)
  }
})

test('keywords are read in any case, and what is no command or no argument gets -ERR', async t => {
  const server = await startServer(t)
  await server.deliver(letter('one'))
  const client = await server.logIn()
  assert.match(await client.command('sTaT'), /^\+OK 1 /)
  assert.match(await client.command('NOOP '), /^\+OK/)
  const bad = [
    '',
    ' ',
    'XYZZY',
    'STATS',
    'STAT 1',
    'LIST x',
    'LIST 1 2',
    'LIST  1',
    'LIST -1',
    'LIST +1',
    'LIST 1.0',
  ]
  bad.push(
    'LIST 0x1',
    'LIST 1e0',
    'RETR',
    'RETR 1 1',
    'DELE',
    'TOP',
    'TOP 1',
    'TOP 1 -1',
    'TOP 1 1 1',
    'UIDL x',
  )
  bad.push(
    'LIST 99999999999999999999',
    'NOOP x',
    'RSET 1',
    'QUIT now',
    'LANG a b',
    'constructor',
    '__proto__',
  )
  for (const command of bad) {
    assert.match(await client.command(command), /^-ERR /, JSON.stringify(command))
    assert.match(await client.command('NOOP'), /^\+OK/)
  }
  for (const command of ['LIST 0', 'RETR 2', 'DELE 2', 'TOP 2 1', 'UIDL 2', 'LIST 4294967297']) {
    assert.match(await client.command(command), /^-ERR no such message/, command)
  }
})

test('a line of 512 octets is read; one more is refused, and so is an endless one, in bounded memory', async t => {
  const server = await startServer(t)
  const client = await server.connect()
  assert.match(
    await client.command(`USER ${'a'.repeat(limits.pop3.lineBytes - 5)}`),
    /^-ERR no password|^\+OK/,
  )
  assert.equal(
    await client.command(`USER ${'a'.repeat(limits.pop3.lineBytes - 4)}`),
    '-ERR the line is too long',
  )
  assert.equal(await client.command('a'.repeat(1024 * 1024)), '-ERR the line is too long')
  assert.match(await client.command('CAPA'), /^\+OK/)
})

test('ten commands without sense in a row end the session, nine do not', async t => {
  const server = await startServer(t)
  const client = await server.connect()
  for (let i = 1; i < limits.pop3.badCommands; i++) await client.command('NONSENSE')
  await client.listing('CAPA')
  for (let i = 1; i <= limits.pop3.badCommands; i++)
    assert.equal(await client.command('NONSENSE'), '-ERR unknown command')
  assert.equal(await client.rest(), '-ERR too many commands that make no sense\r\n')
})

test('an HTTP request is closed without an answer', async t => {
  const server = await startServer(t)
  for (const request of [
    'GET / HTTP/1.1\r\nHost: mail\r\n\r\n',
    'POST /USER%20ann HTTP/1.0\r\n\r\nUSER ann\r\n',
  ]) {
    const client = await server.connect()
    client.send(request)
    assert.equal(await client.rest(), '')
  }
})

test('a silent client is left without an answer after ten minutes, and nothing is removed', async t => {
  let nowMs = 1000
  const deadlines = new Deadlines({ now: () => nowMs, grainMs: 10 })
  const server = await startServer(t, { deadlines })
  await server.deliver(letter('one'))
  const client = await server.logIn()
  await client.command('DELE 1')
  nowMs += 9 * 60_000
  deadlines.check()
  assert.match(await client.command('NOOP'), /^\+OK/)
  nowMs += 9 * 60_000
  deadlines.check()
  assert.match(await client.command('NOOP'), /^\+OK/)
  nowMs += 10 * 60_000 + 1000
  deadlines.check()
  assert.equal(await client.rest(), '')
  assert.match(await (await server.logIn()).command('STAT'), /^\+OK 1 /)
})

test('a client that does not log in is left after two minutes', async t => {
  let nowMs = 1000
  const deadlines = new Deadlines({ now: () => nowMs, grainMs: 10 })
  const server = await startServer(t, { deadlines })
  const client = await server.connect()
  await client.command('NOOP')
  nowMs += 2 * 60_000 + 1000
  deadlines.check()
  assert.equal(await client.rest(), '')
})

test('when the server stops, an idle session hears so, and removes nothing', async t => {
  const server = await startServer(t)
  await server.deliver(letter('one'))
  const client = await server.logIn()
  await client.command('DELE 1')
  await server.listener.stop(1000)
  assert.equal(await client.rest(), '-ERR [SYS/TEMP] the server is going down, come back in a minute\r\n')
  const inbox = await server.store.snapshot(server.account, await server.inbox())
  assert.equal(inbox.count, 1)
})

test('a session that waits in the middle of AUTH hears of the stop too', async t => {
  const server = await startServer(t)
  const client = await server.connect()
  assert.equal(await client.command('AUTH PLAIN'), '+ ')
  await server.listener.stop(1000)
  assert.equal(await client.rest(), '-ERR [SYS/TEMP] the server is going down, come back in a minute\r\n')
})

test('a client that goes, and one that sends rubbish leave the others alone', async t => {
  const server = await startServer(t)
  await server.deliver(letter('one'))
  const good = await server.logIn()
  for (const rubbish of [
    Buffer.alloc(100_000, 0xff),
    Buffer.from('\0\0\0\r\n\0'),
    Buffer.from('USER \r\nPASS \r\n'),
  ]) {
    const other = await server.connect()
    other.send(rubbish)
    other.destroy()
  }
  assert.equal((await good.message('RETR 1')).toString(), letter('one'))
})
