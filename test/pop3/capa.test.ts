// CAPA and STLS. RFC 2449 §5, §6; RFC 2595 §4; CVE-2011-0411 and its sisters.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { test } from 'node:test'
import { Client, letter, startServer } from './client.ts'

test('CAPA tells what is there, the same before and after log-in but for STLS (RFC 2449 §5)', async t => {
  const server = await startServer(t)
  const before = (await (await server.connect()).listing('CAPA')).lines
  assert.deepEqual(before, [
    'TOP',
    'UIDL',
    'USER',
    'SASL SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN',
    'RESP-CODES',
    'AUTH-RESP-CODE',
    'PIPELINING',
    'STLS',
    'EXPIRE NEVER',
    'UTF8 USER',
    'LANG',
    'IMPLEMENTATION Restante',
  ])
  const after = await (await server.logIn()).listing('CAPA')
  assert.equal(after.status, '+OK Capability list follows')
  assert.deepEqual(
    after.lines,
    before.filter(line => line !== 'STLS'),
  )
})

test('STLS is neither offered nor possible where there is no certificate', async t => {
  const server = await startServer(t, { tls: false })
  const client = await server.connect()
  assert.ok(!(await client.listing('CAPA')).lines.includes('STLS'))
  assert.equal(await client.command('STLS'), '-ERR TLS is not available')
})

test('STLS starts TLS, forgets what was said before, and cannot be said twice', async t => {
  const server = await startServer(t)
  await server.deliver(letter('one'))
  const client = await server.connect()
  await client.command('USER ann')
  await client.command('LANG de')
  assert.equal(await client.command('STLS'), '+OK TLS kann beginnen')
  await client.startTls()
  assert.equal(await client.command('PASS correct horse'), '-ERR PASS comes right after USER')
  const { lines } = await client.listing('CAPA')
  assert.ok(!lines.includes('STLS'))
  assert.ok(lines.some(line => line.startsWith('SASL SCRAM-SHA-256-PLUS ')))
  assert.equal(await client.command('STLS'), '-ERR Command not permitted when TLS active')
  await client.command('USER ann')
  assert.match(await client.command('PASS correct horse'), /^\+OK maildrop has 1 message /)
  assert.equal((await client.message('RETR 1')).toString(), letter('one'))
})

test('what is sent in the clear behind STLS is dropped, not run (CVE-2011-0411, CVE-2021-33515)', async t => {
  const server = await startServer(t)
  const client = await server.connect()
  client.send('STLS\r\nUSER ann\r\nNONSENSE\r\n')
  assert.match(await client.line(), /^\+OK/)
  await client.startTls()
  assert.equal(await client.command('PASS correct horse'), '-ERR PASS comes right after USER')
  assert.match(await client.command('CAPA'), /^\+OK/)
})

test('STLS after UTF8 is refused (RFC 6856 §2.1)', async t => {
  const client = await (await startServer(t)).connect()
  assert.equal(await client.command('UTF8'), '+OK UTF-8 mode is on')
  assert.ok(!(await client.listing('CAPA')).lines.includes('STLS'))
  assert.equal(await client.command('STLS'), '-ERR STLS must come before UTF8')
})

test('from another machine no password is taken in the clear, nor asked for; after STLS it is (RFC 8314 §3)', async t => {
  const server = await startServer(t, { behindProxy: true })
  const client = await Client.connect(t, server.port)
  client.send('PROXY TCP4 192.0.2.1 192.0.2.2 1234 110\r\n')
  await client.line()
  const { lines } = await client.listing('CAPA')
  assert.ok(!lines.includes('USER'))
  assert.ok(lines.includes('SASL SCRAM-SHA-256 SCRAM-SHA-1'))
  const refusal = '-ERR no password without TLS: use STLS first'
  assert.equal(await client.command('USER ann'), refusal)
  assert.equal(await client.command('PASS correct horse'), '-ERR PASS comes right after USER')
  assert.equal(await client.command('AUTH PLAIN'), refusal)
  await client.command('STLS')
  await client.startTls()
  await client.command('USER ann')
  assert.match(await client.command('PASS correct horse'), /^\+OK/)
})

test('POP3S speaks TLS from the first byte, for clients that know of ALPN and those that do not', async t => {
  const server = await startServer(t, { implicitTls: true })
  const socket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const client = Client.over(t, socket)
  assert.match(await client.line(), /^\+OK/)
  await client.command('USER ann')
  assert.match(await client.command('PASS correct horse'), /^\+OK/)
})
