import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect as connectTls, createSecureContext } from 'node:tls'
import type { TlsProvider } from '../../src/net/handshake.ts'
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
