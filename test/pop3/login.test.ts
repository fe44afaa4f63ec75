import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { createAppPassword } from '../../src/account/app-password.ts'
import { createAccount, updateAccount } from '../../src/account/directory.ts'
import { createSharedSecret, setPassword } from '../../src/account/set-password.ts'
import { allocateMaildropLocks, MaildropLocks } from '../../src/pop3/maildrop-locks.ts'
import { ScramClient } from '../sasl/scram-client.ts'
import { Client, letter, password, startServer } from './client.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

test('USER and PASS: right after one another, and one answer for all that is wrong (RFC 1939 §7, §13)', async t => {
  const server = await startServer(t)
  const client = await server.connect()
  assert.equal(await client.command('PASS x'), '-ERR PASS comes right after USER')
  assert.equal(await client.command('USER nobody'), '+OK send your password')
  assert.equal(await client.command('PASS x'), '-ERR [AUTH] unknown name or wrong password')
  assert.equal(await client.command('PASS x'), '-ERR PASS comes right after USER')
  await client.command('USER ann')
  assert.equal(await client.command('PASS x'), '-ERR [AUTH] unknown name or wrong password')
  await client.command('USER ann')
  await client.listing('CAPA')
  assert.equal(await client.command(`PASS ${password}`), '-ERR PASS comes right after USER')
  await client.command('USER ann')
  assert.equal(await client.command(`PASS ${password}`), '+OK maildrop has 0 messages (0 octets)')
})

test('spaces belong to the password, and a disabled account is like a wrong one', async t => {
  const server = await startServer(t)
  await setPassword(server.directory, server.account, ' two  spaces ')
  const client = await server.connect()
  await client.command('USER ann@example.org')
  assert.match(await client.command('PASS two  spaces'), /^-ERR \[AUTH\]/)
  await client.command('USER ann@example.org')
  assert.match(await client.command('PASS  two  spaces '), /^\+OK/)
  await client.command('QUIT')
  await updateAccount(server.directory, { account: server.account, state: 'disabled' })
  const next = await server.connect()
  await next.command('USER ann')
  assert.equal(await next.command('PASS  two  spaces '), '-ERR [AUTH] unknown name or wrong password')
})

test('hostile names are wrong names', async t => {
  const server = await startServer(t)
  for (const name of [
    "ann' OR '1'='1",
    "'; DROP TABLE account; --",
    'ann\0',
    '../../etc/passwd',
    '%s%n',
    '__proto__',
  ]) {
    const client = await server.connect()
    assert.match(await client.command(`USER ${name}`), /^\+OK/)
    assert.equal(await client.command(`PASS ${password}`), '-ERR [AUTH] unknown name or wrong password')
    client.destroy()
  }
  await server.logIn()
})

test('names and passwords in UTF-8 are taken before UTF8; what is no UTF-8 is wrong (RFC 6856 §2.2)', async t => {
  const server = await startServer(t)
  await createAccount(server.directory, { address: 'jürgen@example.org', password: 'schöne Grüße' })
  const client = await server.connect()
  await client.command('USER ju\u0308rgen')
  assert.match(await client.command('PASS scho\u0308ne Grüße'), /^\+OK/)
  const other = await server.connect()
  other.send(Buffer.from('USER j\xfcrgen\r\n', 'latin1'))
  await other.line()
  other.send(Buffer.from('PASS sch\xf6ne Gr\xfc\xdfe\r\n', 'latin1'))
  assert.match(await other.line(), /^-ERR \[AUTH\]/)
})

test('AUTH with and without an initial response, cancelled, malformed, unknown (RFC 5034)', async t => {
  const server = await startServer(t)
  const plain = base64(`\0ann\0${password}`)
  const client = await server.connect()
  assert.equal(await client.command('AUTH NOSUCH'), '-ERR unknown or unavailable mechanism')
  assert.equal(await client.command('AUTH PLAIN !!!!'), '-ERR the mechanism does not allow this answer')
  assert.equal(await client.command('AUTH PLAIN'), '+ ')
  assert.equal(await client.command('*'), '-ERR authentication cancelled')
  assert.equal(await client.command('AUTH PLAIN'), '+ ')
  assert.equal(await client.command('?'), '-ERR the mechanism does not allow this answer')
  assert.equal(
    await client.command(`AUTH PLAIN ${base64('\0ann\0wrong')}`),
    '-ERR [AUTH] unknown name or wrong password',
  )
  assert.equal(await client.command('AUTH PLAIN a b'), '-ERR syntax error in the arguments')
  assert.match(await client.command('AUTH LOGIN'), /^\+ VXNlcm5hbWU6$/)
  assert.match(await client.command(base64('ann')), /^\+ UGFzc3dvcmQ6$/)
  assert.match(await client.command(base64(password)), /^\+OK maildrop/)
  await client.command('QUIT')
  const second = await server.connect()
  assert.match(await second.command(`auth plain ${plain}`), /^\+OK maildrop/)
  await second.command('QUIT')
  const third = await server.connect()
  assert.equal(await third.command('AUTH PLAIN'), '+ ')
  assert.match(await third.command(plain), /^\+OK maildrop/)
})

test('SCRAM-SHA-256-PLUS binds a real TLS channel; the binding of another is refused (RFC 9266)', async t => {
  const server = await startServer(t, { implicitTls: true })
  const exchange = async (isRight: boolean) => {
    const socket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const client = Client.over(t, socket)
    await client.line()
    const exported = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    const bindingData = isRight ? exported : Buffer.alloc(32)
    const scram = new ScramClient({
      hash: 'sha256',
      name: 'ann',
      password,
      nonce: 'n',
      flag: 'p=tls-exporter',
      bindingData,
    })
    const ask = async (text: string) => Buffer.from((await client.command(text)).slice(2), 'base64')
    const first = await ask(`AUTH SCRAM-SHA-256-PLUS ${scram.first().toString('base64')}`)
    const answer = scram.final(first).toString('base64')
    if (!isRight) return client.command(answer)
    assert.ok(scram.isServer(await ask(answer)))
    return client.command('')
  }
  assert.equal(await exchange(false), '-ERR [AUTH] unknown name or wrong password')
  assert.match(await exchange(true), /^\+OK maildrop/)
})

test('AUTH takes an answer much longer than a line, and refuses an endless one', async t => {
  const server = await startServer(t)
  const client = await server.connect()
  assert.match(await client.command(`AUTH PLAIN ${base64(`\0ann\0${'x'.repeat(1000)}`)}`), /^-ERR \[AUTH\]/)
  await client.command('AUTH PLAIN')
  assert.equal(await client.command('A'.repeat(100_000)), '-ERR the mechanism does not allow this answer')
  assert.match(await client.command('CAPA'), /^\+OK/)
})

test('AUTH alone lists the mechanisms', async t => {
  const server = await startServer(t)
  const { lines } = await (await server.connect()).listing('AUTH')
  assert.deepEqual(lines, ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN'])
})

test('APOP as in RFC 1939 §7, only for who has opted in', async t => {
  const off = await startServer(t)
  assert.match(await (await off.connect()).command(`APOP ann ${'0'.repeat(32)}`), /^-ERR/)
  const server = await startServer(t, { account: { login: { sharedSecrets: true } } })
  const digestOf = (greeting: string, secret: string) => {
    const timestamp = /<.*>/.exec(greeting)?.[0] ?? ''
    return createHash('md5')
      .update(timestamp + secret)
      .digest('hex')
  }
  const attempt = async (name: string, secret: string) => {
    const client = await Client.connect(t, server.port)
    const answer = await client.command(`APOP ${name} ${digestOf(await client.line(), secret)}`)
    await client.command('QUIT')
    return answer
  }
  assert.equal(await attempt('ann', password), '-ERR [AUTH] unknown name or wrong password')
  assert.equal(await attempt('ann', ''), '-ERR [AUTH] unknown name or wrong password')
  const secret = await createSharedSecret(server.directory, server.account)
  assert.match(await attempt('ann', secret), /^\+OK maildrop/)
  assert.equal(await attempt('nobody', secret), '-ERR [AUTH] unknown name or wrong password')
  const client = await server.connect()
  for (const args of ['', ' ann', ' ann 00', ` ann ${'G'.repeat(32)}`, ` ann ${'0'.repeat(33)}`]) {
    assert.equal(await client.command(`APOP${args}`), '-ERR syntax error in the arguments')
  }
  // The example: its secret and timestamp give its digest.
  const example = createHash('md5').update('<1896.697170952@dbc.mtview.ca.us>tanstaaf').digest('hex')
  assert.equal(example, 'c4c9334bac560ecc979e58001b3e22fb')
})

test('CRAM-MD5 over AUTH', async t => {
  const server = await startServer(t, {
    account: { login: { sharedSecrets: true, mechanisms: ['PLAIN', 'CRAM-MD5'] } },
  })
  const secret = await createSharedSecret(server.directory, server.account)
  const client = await server.connect()
  const challenge = Buffer.from((await client.command('AUTH CRAM-MD5')).slice(2), 'base64').toString()
  const digest = createHmac('md5', secret).update(challenge).digest('hex')
  assert.match(await client.command(base64(`ann ${digest}`)), /^\+OK maildrop/)
})

test('an app password for another service is told so', async t => {
  const server = await startServer(t)
  const text = await createAppPassword(server.directory, server.account, { name: 'phone', scopes: ['imap'] })
  const client = await server.connect()
  await client.command('USER ann')
  assert.equal(await client.command(`PASS ${text}`), '-ERR [AUTH] this password is not for POP3')
})

test('a second session of the account gets [IN-USE] until the first has ended; others are let in (RFC 1939 §8)', async t => {
  const server = await startServer(t)
  await createAccount(server.directory, { address: 'bob@example.org', password })
  await server.deliver(letter('one'))
  const first = await server.logIn()
  const second = await server.connect()
  await second.command('USER ann')
  assert.equal(
    await second.command(`PASS ${password}`),
    '-ERR [IN-USE] Do you have another POP session running?',
  )
  await second.command('USER bob')
  assert.match(await second.command(`PASS ${password}`), /^\+OK/)
  first.destroy()
  const third = await server.connect()
  for (;;) {
    await third.command('USER ann')
    // The server hears of the end when its socket says so.
    if ((await third.command(`PASS ${password}`)).startsWith('+OK')) break
  }
  assert.match(await third.command('QUIT'), /^\+OK/)
  await server.logIn()
})

test('LOGIN-DELAY is announced and kept (RFC 2449 §6.5, §8.1.1)', async t => {
  const server = await startServer(t, { pop3: { loginDelaySeconds: 900 } })
  const client = await server.logIn()
  assert.ok((await client.listing('CAPA')).lines.includes('LOGIN-DELAY 900'))
  await client.command('QUIT')
  const next = await server.connect()
  await next.command('USER ann')
  assert.equal(
    await next.command(`PASS ${password}`),
    '-ERR [LOGIN-DELAY] log in at most once in 900 seconds',
  )
  server.clock.advance(900_000)
  await server.logIn()
})

test('a maildrop lock is shared by threads, ends with its thread, and never blocks another account', async () => {
  let nowMs = Date.UTC(2026, 0, 1)
  const clock = { now: () => nowMs }
  const table = allocateMaildropLocks(16)
  const [one, two] = [new MaildropLocks(clock, table), new MaildropLocks(clock, table)]
  const account = (id: number) => id as Parameters<MaildropLocks['acquire']>[0]
  const held = await one.acquire(account(1))
  assert.equal(held.kind, 'held')
  assert.equal((await two.acquire(account(1))).kind, 'in-use')
  assert.equal((await one.acquire(account(1))).kind, 'in-use')
  nowMs += 50_000
  one.renew()
  nowMs += 50_000
  assert.equal((await two.acquire(account(1))).kind, 'in-use')
  // The first thread dies: nobody renews.
  nowMs += 60_000
  const taken = await two.acquire(account(1))
  assert.equal(taken.kind, 'held')
  if (held.kind === 'held') await held.release()
  assert.equal((await one.acquire(account(1))).kind, 'in-use')
  if (taken.kind === 'held') await taken.release()
  const many = await Promise.all(Array.from({ length: 17 }, (_, i) => one.acquire(account(i + 1))))
  assert.equal(many.filter(lock => lock.kind === 'held').length, 16)
  for (const lock of many) if (lock.kind === 'held') await lock.release()
  for (let i = 100; i < 200; i++) {
    const lock = await two.acquire(account(i))
    assert.equal(lock.kind, 'held')
    if (lock.kind === 'held') await lock.release()
  }
})

test('no password reaches the log', async t => {
  const server = await startServer(t)
  const client = await server.connect()
  await client.command('USER ann')
  await client.command('PASS canary-one')
  await client.command(`AUTH PLAIN ${base64('\0ann\0canary-two')}`)
  await client.command('PASS canary-three')
  await client.command('CANARY-four')
  assert.doesNotMatch(server.logged.join('\n'), /canary/i)
})
