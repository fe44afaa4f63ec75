import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { Connection } from '../../src/net/connection.ts'
import { ensureSelfSigned } from '../../src/net/self-signed.ts'
import { CertificateError, type CertificateFiles, CertificateStore } from '../../src/net/tls.ts'
import { bufferBytes } from '../security/held-bytes.ts'
import { listen } from './pair.ts'
import { testAuthority, type TestCertificate, testCertificate } from './test-tls.ts'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'restante-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

async function write(folder: string, name: string, made: TestCertificate): Promise<CertificateFiles> {
  const files = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) }
  await Promise.all([writeFile(files.certFile, made.cert), writeFile(files.keyFile, made.key)])
  return files
}

/** A listener with implicit TLS, and how a client fares with it. */
async function serve(t: TestContext, store: CertificateStore) {
  const sessions: Connection[] = []
  const listener = await listen(t, {
    implicitTls: store.provider(['imap']),
    handle: async connection => {
      sessions.push(connection)
      connection.write('* OK\r\n')
      connection.flush()
      await connection.closed
    },
  })
  const dial = async (options: ConnectionOptions): Promise<TLSSocket> => {
    const socket = connect({ port: listener.port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    t.after(() => socket.destroy())
    await once(socket, 'data')
    return socket
  }
  const nameFor = async (servername: string) => {
    const socket = await dial({ servername })
    return socket.getPeerX509Certificate()?.subject
  }
  return { dial, nameFor, sessions }
}

test('the certificate is chosen by the name that the client asks for, wildcards for one label', async t => {
  const folder = await temporaryFolder(t)
  const store = await CertificateStore.load({
    certificates: [
      await write(folder, 'first', await testCertificate('mail.example')),
      await write(folder, 'wild', await testCertificate('*.wild.example')),
      await write(folder, 'exact', await testCertificate('exact.wild.example')),
    ],
  })
  const { nameFor } = await serve(t, store)
  assert.equal(await nameFor('a.wild.example'), 'CN=*.wild.example')
  assert.equal(await nameFor('EXACT.wild.example'), 'CN=exact.wild.example')
  assert.equal(await nameFor('a.b.wild.example'), 'CN=mail.example')
  assert.equal(await nameFor('wild.example'), 'CN=mail.example')
  assert.equal(await nameFor('elsewhere.example'), 'CN=mail.example')
})

test('a reload serves the new files at once, and a broken one leaves the old in use', async t => {
  const folder = await temporaryFolder(t)
  const files = await write(folder, 'a', await testCertificate('old.example'))
  const store = await CertificateStore.load({ certificates: [files] })
  const { nameFor } = await serve(t, store)
  assert.equal(await nameFor('x.example'), 'CN=old.example')
  assert.equal(await store.reloadIfChanged(), false)
  await writeFile(files.certFile, 'no certificate at all')
  await assert.rejects(store.reloadIfChanged(), CertificateError)
  assert.equal(await nameFor('x.example'), 'CN=old.example')
  // A certificate whose key has not been written yet.
  const made = await testCertificate('new.example')
  await writeFile(files.certFile, made.cert)
  await assert.rejects(store.reload(), CertificateError)
  assert.equal(await nameFor('x.example'), 'CN=old.example')
  await writeFile(files.keyFile, made.key)
  assert.equal(await store.reloadIfChanged(), true)
  assert.equal(await nameFor('x.example'), 'CN=new.example')
  assert.deepEqual(store.certificates[0]?.names, ['new.example'])
})

test('a client that offers only http is refused in the handshake (ALPACA)', async t => {
  const folder = await temporaryFolder(t)
  const store = await CertificateStore.load({
    certificates: [await write(folder, 'a', await testCertificate('mail.example'))],
  })
  const { dial, sessions } = await serve(t, store)
  await assert.rejects(dial({ ALPNProtocols: ['h2', 'http/1.1'] }), /no application protocol/i)
  assert.equal((await dial({ ALPNProtocols: ['http/1.1', 'imap'] })).alpnProtocol, 'imap')
  assert.equal((await dial({})).alpnProtocol, false)
  assert.equal(sessions.length, 2)
})

test('a connection holds none of the memory that Node shares out to small buffers', async t => {
  const folder = await temporaryFolder(t)
  const store = await CertificateStore.load({
    certificates: [await write(folder, 'a', await testCertificate('mail.example'))],
  })
  const { dial } = await serve(t, store)
  await dial({})
  const before = bufferBytes()
  const connections = 60
  for (let count = 0; count < connections; count++) {
    // What others have of it meanwhile.
    for (let left = 8; left > 0; left--) Buffer.allocUnsafe(1024)
    await dial({})
  }
  const each = (bufferBytes() - before) / connections
  assert.ok(each < 4096, `${each} bytes`)
})

test('TLS 1.1 is refused, and 1.2 and 1.3 are spoken', async t => {
  const folder = await temporaryFolder(t)
  const store = await CertificateStore.load({
    certificates: [await write(folder, 'a', await testCertificate('mail.example'))],
  })
  const { dial, sessions } = await serve(t, store)
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
  await assert.rejects(dial(old))
  await dial({ maxVersion: 'TLSv1.2' })
  await dial({})
  assert.deepEqual(
    sessions.map(session => session.tls?.protocol),
    ['TLSv1.2', 'TLSv1.3'],
  )
})

test('both ends of TLS 1.2 have one tls-unique and one tls-server-end-point, and no tls-exporter', async t => {
  const folder = await temporaryFolder(t)
  const made = await testCertificate('mail.example')
  const store = await CertificateStore.load({ certificates: [await write(folder, 'a', made)] })
  const { dial, sessions } = await serve(t, store)
  const first = await dial({ maxVersion: 'TLSv1.2' })
  assert.deepEqual(sessions[0]?.tls?.channelBinding('tls-unique'), first.getFinished())
  const session = first.getSession()
  assert.ok(session)
  const resumed = await dial({ maxVersion: 'TLSv1.2', session })
  assert.equal(resumed.isSessionReused(), true)
  // RFC 5929 §3.1: in a resumed handshake the server's Finished is the first.
  assert.deepEqual(sessions[1]?.tls?.channelBinding('tls-unique'), resumed.getPeerFinished())
  assert.equal(sessions[0]?.tls?.channelBinding('tls-exporter'), undefined)
  const digest = new X509Certificate(made.cert).fingerprint256.replaceAll(':', '').toLowerCase()
  assert.equal(sessions[0]?.tls?.channelBinding('tls-server-end-point')?.toString('hex'), digest)
})

test('a session resumes in another thread that has the same ticket keys, and not after their rotation', async t => {
  const folder = await temporaryFolder(t)
  const files = await write(folder, 'a', await testCertificate('mail.example'))
  const ticketKeys = Buffer.alloc(48, 7)
  const [one, other] = await Promise.all([
    CertificateStore.load({ certificates: [files], ticketKeys }),
    CertificateStore.load({ certificates: [files], ticketKeys }),
  ])
  const first = await serve(t, one)
  const second = await serve(t, other)
  const socket = await first.dial({ maxVersion: 'TLSv1.2' })
  const session = socket.getSession() ?? Buffer.alloc(0)
  assert.equal((await second.dial({ maxVersion: 'TLSv1.2', session })).isSessionReused(), true)
  await other.rotateTicketKeys()
  assert.equal((await second.dial({ maxVersion: 'TLSv1.2', session })).isSessionReused(), false)
})

test('a client certificate is told only when an authority of ours has signed it', async t => {
  const folder = await temporaryFolder(t)
  const { ca, client } = await testAuthority('tim')
  const clientCaFile = join(folder, 'ca.crt')
  await writeFile(clientCaFile, ca)
  const files = await write(folder, 'a', await testCertificate('mail.example'))
  const store = await CertificateStore.load({ certificates: [files], clientCaFile })
  const { dial, sessions } = await serve(t, store)
  await dial(client)
  await dial({})
  await dial(await testCertificate('tim'))
  assert.deepEqual(
    sessions.map(session => session.tls?.clientCertificate?.subject),
    ['CN=tim', undefined, undefined],
  )
})

test('a handshake that never comes ends the connection', async t => {
  const folder = await temporaryFolder(t)
  const store = await CertificateStore.load({
    certificates: [await write(folder, 'a', await testCertificate('mail.example'))],
  })
  const listener = await listen(t, {
    implicitTls: store.provider(['imap']),
    limits: { handshakeMs: 20 },
    handle: async () => assert.fail('a session began'),
  })
  const { connect: connectPlain } = await import('node:net')
  const peer = connectPlain(listener.port, '127.0.0.1')
  peer.on('error', () => {})
  await once(peer, 'close')
})

test('a self-signed certificate is made once, for its names, readable only by its owner', async t => {
  const folder = join(await temporaryFolder(t), 'data')
  const nowMs = Date.now()
  const options = { folder, names: ['localhost', '127.0.0.1', '::1'], now: () => nowMs } as const
  const files = await ensureSelfSigned(options)
  assert.equal((await stat(files.keyFile)).mode & 0o777, 0o600)
  const store = await CertificateStore.load({ certificates: [files] })
  const { dial } = await serve(t, store)
  const socket = await dial({ servername: 'localhost' })
  const made = socket.getPeerX509Certificate()
  assert.ok(made)
  assert.ok(made.checkHost('localhost') && made.checkIP('127.0.0.1') && made.checkIP('::1'))
  assert.equal(made.verify(made.publicKey), true)
  const { ino } = await stat(files.certFile)
  await ensureSelfSigned(options)
  assert.equal((await stat(files.certFile)).ino, ino)
})

test('a self-signed certificate is made anew for other names, near its end, and when it is broken', async t => {
  const folder = await temporaryFolder(t)
  let nowMs = Date.now()
  const made = async (...names: [string, ...string[]]) => {
    const { certFile } = await ensureSelfSigned({ folder, names, now: () => nowMs })
    const { readFile } = await import('node:fs/promises')
    return new X509Certificate(await readFile(certFile))
  }
  const first = await made('a.example')
  const second = await made('a.example', 'b.example')
  assert.notEqual(first.serialNumber, second.serialNumber)
  nowMs = second.validToDate.getTime() - 31 * 86_400_000
  assert.equal((await made('a.example')).serialNumber, second.serialNumber)
  nowMs += 2 * 86_400_000
  const third = await made('a.example')
  assert.notEqual(third.serialNumber, second.serialNumber)
  await writeFile(join(folder, 'self-signed.pem'), '-----BEGIN CERT')
  assert.notEqual((await made('a.example')).serialNumber, third.serialNumber)
})
