import assert from 'node:assert/strict'
import { webcrypto, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import 'reflect-metadata'
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'
import { authenticate, mechanisms } from '../../src/account/authenticate.ts'
import { createAccount } from '../../src/account/directory.ts'
import { LoginError, type LoginErrorCode } from '../../src/account/login-error.ts'
import { openTestLogin, peerOf } from './open-login.ts'

const coded = (code: LoginErrorCode) => (error: unknown) => error instanceof LoginError && error.code === code

async function certificate(name: string, emails: readonly string[]): Promise<X509Certificate> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension(emails.map(value => ({ type: 'email', value })))],
  })
  return new X509Certificate(Buffer.from(made.rawData))
}

const peerWith = (clientCertificate: X509Certificate | undefined) =>
  peerOf({ tls: { clientCertificate, channelBinding: () => undefined } })
const ask = async () => Buffer.alloc(0)

test('EXTERNAL logs in whom a verified certificate names by e-mail address (RFC 4422 appendix A)', async () => {
  const { login, directory } = await openTestLogin({ login: { certificate: 'email' } })
  const ann = await createAccount(directory, { address: 'ann@example.org' })
  const bob = await createAccount(directory, { address: 'bob@example.org' })
  const peer = peerWith(await certificate('CN=bob@example.org', ['Ann@example.org', 'ann2@example.org']))
  assert.ok(mechanisms(login, peer).includes('EXTERNAL'))
  assert.equal((await authenticate(login, peer, 'EXTERNAL', Buffer.alloc(0), ask)).account, ann)
  assert.equal((await authenticate(login, peer, 'EXTERNAL', undefined, ask)).account, ann)
  await assert.rejects(
    authenticate(login, peer, 'EXTERNAL', Buffer.from('bob@example.org'), ask),
    coded('bad-credentials'),
  )
  const both = peerWith(await certificate('CN=x', ['ann@example.org', 'bob@example.org']))
  assert.equal((await authenticate(login, both, 'EXTERNAL', Buffer.from('bob'), ask)).account, bob)
})

test('a name in a certificate cannot pretend to be another field (CVE-2021-44532)', async () => {
  const { login, directory } = await openTestLogin({ login: { certificate: 'email' } })
  await createAccount(directory, { address: 'ann@example.org' })
  const peer = peerWith(await certificate('CN=x', ['x@evil.example, email:ann@example.org']))
  await assert.rejects(authenticate(login, peer, 'EXTERNAL', Buffer.alloc(0), ask), coded('bad-credentials'))
})

test('the common name is used where the configuration says so, and nothing without a certificate', async () => {
  const { login, directory } = await openTestLogin({ login: { certificate: 'common-name' } })
  const bob = await createAccount(directory, { address: 'bob@example.org' })
  const peer = peerWith(await certificate('CN=bob@example.org, O=Example', ['ann@example.org']))
  assert.equal((await authenticate(login, peer, 'EXTERNAL', Buffer.alloc(0), ask)).account, bob)
  const none = peerWith(undefined)
  assert.ok(!mechanisms(login, none).includes('EXTERNAL'))
  await assert.rejects(
    authenticate(login, none, 'EXTERNAL', Buffer.alloc(0), ask),
    coded('unknown-mechanism'),
  )
})
