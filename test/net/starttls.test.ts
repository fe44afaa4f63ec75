import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect as connectTls, createSecureContext } from 'node:tls'
import type { TlsProvider } from '../../src/net/handshake.ts'
import { isConnectionError } from '../../src/net/connection-error.ts'
import { pair, record } from './pair.ts'
import { testCertificate } from './test-tls.ts'

const certificate = await testCertificate('mail.example')
const provider: TlsProvider = {
  serverOptions: () => ({ secureContext: createSecureContext(certificate), ALPNProtocols: ['imap'] }),
}

test('what is pipelined in the clear after STARTTLS is dropped (CVE-2011-0411)', async t => {
  const { connection, peer, send } = await pair(t)
  await send('A1 STARTTLS\r\nA2 LOGIN victim x\r\nA3 NOO')
  assert.equal((await connection.readLine(100))?.toString(), 'A1 STARTTLS')
  const ok = once(peer, 'data') as Promise<[Buffer]>
  connection.write('A1 OK begin\r\n')
  const upgraded = connection.startTls(provider)
  assert.equal((await ok)[0].toString(), 'A1 OK begin\r\n')
  peer.removeAllListeners('data')
  const secure = connectTls({ socket: peer, servername: 'mail.example', rejectUnauthorized: false })
  await Promise.all([upgraded, once(secure, 'secureConnect')])
  assert.equal(connection.hasBufferedInput, false)
  secure.write('P2 CAPABILITY\r\n')
  assert.equal((await connection.readLine(100))?.toString(), 'P2 CAPABILITY')
  assert.equal(connection.secure, true)
  assert.equal(connection.tls?.protocol, 'TLSv1.3')
  assert.equal(connection.tls?.serverName, 'mail.example')
  assert.deepEqual(
    connection.tls?.channelBinding('tls-exporter'),
    secure.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
  )
  connection.write('P2 OK\r\n')
  connection.close()
  assert.equal(await record(secure).received(), 'P2 OK\r\n')
})

test('what is sent in the clear in place of a ClientHello fails the handshake, and the connection is gone', async t => {
  const { connection, peer } = await pair(t)
  const ok = once(peer, 'data')
  connection.write('A1 OK begin\r\n')
  const upgraded = connection.startTls(provider)
  const failed = assert.rejects(upgraded, (error: unknown) => isConnectionError(error, 'TlsFailed'))
  await ok
  peer.write('A2 LOGIN victim x\r\nA3 NOOP\r\n')
  await failed
  assert.equal(connection.isClosed, true)
  assert.equal(connection.secure, false)
  assert.equal(await connection.readLine(100), undefined)
})

test('a client that goes away in the handshake is a closed connection and no error that escapes', async t => {
  const { connection, peer } = await pair(t)
  const upgraded = connection.startTls(provider)
  const failed = assert.rejects(upgraded, (error: unknown) => isConnectionError(error))
  peer.resetAndDestroy()
  await failed
  await connection.closed
})

test('half a connection closed under TLS still gets its answers', async t => {
  const { connection, peer } = await pair(t)
  const upgraded = connection.startTls(provider)
  peer.removeAllListeners('data')
  const secure = connectTls({ socket: peer, servername: 'mail.example', rejectUnauthorized: false })
  await Promise.all([upgraded, once(secure, 'secureConnect')])
  const { received } = record(secure)
  secure.end('one\r\ntwo\r\n')
  for (let line = await connection.readLine(10); line; line = await connection.readLine(10)) {
    connection.write(`got ${line.toString()}\r\n`)
  }
  connection.close()
  assert.equal(await received(), 'got one\r\ngot two\r\n')
  await connection.closed
})

test('what is written while the handshake goes on is sent after it, encrypted', async t => {
  const { connection, peer } = await pair(t)
  const upgraded = connection.startTls(provider)
  connection.write('* a hint from another session\r\n')
  connection.flush()
  peer.removeAllListeners('data')
  const secure = connectTls({ socket: peer, servername: 'mail.example', rejectUnauthorized: false })
  const { received } = record(secure)
  await upgraded
  connection.flush()
  assert.equal(await received(text => text.includes('\n')), '* a hint from another session\r\n')
  connection.destroy()
})
