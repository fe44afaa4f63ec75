import assert from 'node:assert/strict'
import { createSecureContext } from 'node:tls'
import { test } from 'node:test'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { Deadlines } from '../../src/net/deadlines.ts'
import { dial } from '../../src/net/dial.ts'
import type { TlsProvider } from '../../src/net/handshake.ts'
import { listen } from './pair.ts'
import { testCertificate } from './test-tls.ts'

const certificate = await testCertificate('mx.example')
const provider: TlsProvider = {
  serverOptions: () => ({ secureContext: createSecureContext(certificate) }),
}
const deadlines = new Deadlines()

test('both ends of a STARTTLS by `Connection` trust and understand each other', async t => {
  const listener = await listen(t, {
    handle: async connection => {
      connection.write('220 ready\r\n')
      assert.equal((await connection.readLine(100))?.toString(), 'STARTTLS')
      connection.write('220 go ahead\r\n')
      await connection.startTls(provider)
      connection.write(`250 ${(await connection.readLine(100))?.toString()}\r\n`)
    },
  })
  const client = await dial({ to: { address: '127.0.0.1', port: listener.port }, deadlines })
  t.after(() => client.destroy())
  assert.equal((await client.readLine(100))?.toString(), '220 ready')
  client.write('STARTTLS\r\n')
  assert.equal((await client.readLine(100))?.toString(), '220 go ahead')
  await client.startTlsAsClient({ servername: 'mx.example', ca: certificate.cert })
  assert.equal(client.secure, true)
  client.write('EHLO me\r\n')
  assert.equal((await client.readLine(100))?.toString(), '250 EHLO me')
  assert.equal(await client.readLine(100), undefined)
  client.close()
  await client.closed
})

test('a certificate for another name is refused, and the connection is gone', async t => {
  const listener = await listen(t, { implicitTls: provider })
  const to = { address: '127.0.0.1', port: listener.port }
  const options = { servername: 'other.example', ca: certificate.cert }
  await assert.rejects(dial({ to, deadlines, implicitTls: options }), { code: 'TlsFailed' })
  const right = await dial({ to, deadlines, implicitTls: { ...options, servername: 'mx.example' } })
  right.destroy()
})

test('where nobody listens is ConnectFailed with the reason of the system', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  server.close()
  await once(server, 'close')
  const failure = dial({ to: { address: '127.0.0.1', port: address.port }, deadlines })
  await assert.rejects(failure, { code: 'ConnectFailed', message: /ECONNREFUSED/ })
})
