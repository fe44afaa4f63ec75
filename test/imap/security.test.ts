import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import fc from 'fast-check'
import { silentLog } from '../../src/base/log.ts'
import { serveImap } from '../../src/imap/serve.ts'
import { parseNetwork } from '../../src/net/ip.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { Listener } from '../../src/net/listener.ts'
import { testCertificate } from '../net/test-tls.ts'
import { ImapClient } from './client.ts'
import { message, startImap, type TestServer } from './harness.ts'

test('what is pipelined behind STARTTLS is dropped with all that was learnt before (CVE-2011-0411, CVE-2021-33515)', async t => {
  const certificate = await testCertificate('mail.example.test')
  const server = await startImap(t, { tls: { serverOptions: () => certificate } })
  const client = await server.connect()
  assert.match(client.greeting, /STARTTLS/)
  client.send('a STARTTLS\r\nb LOGIN alice@example.test secret\r\nc NOOP\r\n')
  assert.match((await client.line()) ?? '', /^a OK/)
  client.socket.removeAllListeners('data')
  const secure = connectTls({ socket: client.socket, rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  secure.write('d CAPABILITY\r\n')
  let text = ''
  for await (const chunk of secure) {
    text += String(chunk)
    if (text.includes('d OK')) break
  }
  assert.doesNotMatch(text, /^[bc] /m)
  assert.match(text, /^\* CAPABILITY .*AUTH=/)
  assert.doesNotMatch(text, /STARTTLS/)
})

/** What the server says to a client who comes from another machine without TLS. */
async function sayFromElsewhere(t: TestContext, server: TestServer, commands: string): Promise<string> {
  const listener = await Listener.start({
    address: { host: '127.0.0.1', port: 0 },
    deadlines: new Deadlines(),
    log: silentLog,
    proxyNetworks: [parseNetwork('127.0.0.0/8')],
    handle: connection => serveImap(connection, server.context),
  })
  t.after(() => listener.stop(1000))
  const socket = connect(listener.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`PROXY TCP4 192.0.2.7 192.0.2.1 4000 143\r\n${commands}`)
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (/^b /m.test(text)) break
  }
  return text
}

test('from elsewhere a password is taken only over TLS, and LOGINDISABLED says so', async t => {
  const text = await sayFromElsewhere(
    t,
    await startImap(t),
    'a LOGIN alice@example.test secret\r\nb AUTHENTICATE PLAIN AGEAYg==\r\n',
  )
  assert.match(text, /^\* OK \[CAPABILITY .*LOGINDISABLED/)
  assert.doesNotMatch(text, /AUTH=PLAIN/)
  assert.match(text, /^a NO \[PRIVACYREQUIRED\]/m)
  assert.match(text, /^b NO \[PRIVACYREQUIRED\]/m)
})

test('where passwords in the clear are allowed LOGIN takes them as AUTHENTICATE does', async t => {
  const server = await startImap(t, {}, {}, { allowPlaintext: true })
  const text = await sayFromElsewhere(t, server, 'a LOGIN alice@example.test secret\r\nb NOOP\r\n')
  assert.match(text, /^\* OK \[CAPABILITY (?!.*LOGINDISABLED).*AUTH=PLAIN/)
  assert.match(text, /^a OK/m)
})

test('a line without end costs little memory and ends the connection; others go on', async t => {
  const server = await startImap(t)
  const other = await server.client()
  const client = await server.connect()
  const before = process.memoryUsage().rss
  const chunk = Buffer.alloc(1024 * 1024, 0x61)
  let isClosed = false
  client.socket.on('close', () => {
    isClosed = true
  })
  for (let count = 0; count < 300 && !isClosed; count++) {
    if (!client.socket.write(chunk)) await drainedOrClosed(client.socket)
  }
  assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024)
  assert.equal((await other.command('NOOP')).status, 'OK')
})

test('random bytes never end the server nor disturb another session', async t => {
  const server = await startImap(t)
  const other = await server.client()
  await other.append('INBOX', message('kept'))
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, loggedIn) => {
      const client = loggedIn ? await server.client() : await ImapClient.connect(server.port)
      client.send(Buffer.concat([Buffer.from('a '), bytes, Buffer.from('\r\nz LOGOUT\r\n')]))
      client.socket.end()
      while ((await client.line()) !== undefined);
      client.end()
      assert.equal((await other.command('NOOP')).status, 'OK')
    }),
    { numRuns: 150 },
  )
  assert.deepEqual(await other.ok('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 1)'])
})

test('a connection that is cut in the middle of APPEND leaves nothing', async t => {
  const server = await startImap(t)
  const client = await server.client()
  client.send('a APPEND INBOX {100000+}\r\nFrom: half')
  client.socket.end()
  await once(client.socket, 'close')
  const other = await server.client()
  assert.deepEqual(await other.ok('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 0)'])
})

/** Waits until more can be written or the other side has hung up, and leaves no listener behind. */
async function drainedOrClosed(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const event of ['drain', 'close', 'error']) socket.once(event, resolve)
  if (!socket.destroyed) await promise
  for (const event of ['drain', 'close', 'error']) socket.off(event, resolve)
}
