import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { authenticate, mechanisms } from '../../src/account/authenticate.ts'
import { createAccount } from '../../src/account/directory.ts'
import type { Identity } from '../../src/account/identity.ts'
import { LoginError, type LoginErrorCode } from '../../src/account/login-error.ts'
import { openTestLogin, peerOf, type TestLogin } from './open-login.ts'

const coded = (code: LoginErrorCode) => (error: unknown) => error instanceof LoginError && error.code === code
const issuer = 'https://id.example.org'
const keys = await generateKeyPair('ES256', { extractable: true })
const otherKeys = await generateKeyPair('ES256', { extractable: true })
const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' }] })

interface OpenToken extends TestLogin {
  /** Shows a token and gives who it was, and what the server said on the way. */
  show(token: string, mechanism?: string, name?: string): Promise<{ identity: Identity; said: string[] }>
  readonly said: string[]
}

async function open(t: TestContext, changes: object = {}): Promise<OpenToken> {
  const folder = await mkdtemp(join(tmpdir(), 'restante-token-'))
  t.after(() => rm(folder, { recursive: true }))
  const jwksFile = join(folder, 'keys.json')
  await writeFile(jwksFile, keySet)
  const input = {
    issuer,
    audience: 'mail',
    jwksFile,
    openidConfiguration: `${issuer}/.well-known/openid-configuration`,
  }
  const opened = await openTestLogin({ login: { issuers: [{ ...input, ...changes }] } })
  await createAccount(opened.directory, { address: 'ann@example.org', password: 'correct horse' })
  const said: string[] = []
  const show = async (token: string, mechanism = 'OAUTHBEARER', name = '') => {
    const message =
      mechanism === 'XOAUTH2'
        ? `user=${name}\x01auth=Bearer ${token}\x01\x01`
        : `n,${name && `a=${name}`},\x01host=mail.example.org\x01auth=Bearer ${token}\x01\x01`
    const ask = async (challenge: Buffer) => {
      said.push(challenge.toString())
      return Buffer.from('\x01')
    }
    const identity = await authenticate(opened.login, peerOf(), mechanism, Buffer.from(message), ask)
    return { identity, said }
  }
  return { ...opened, show, said }
}

/** A good token of 2026-01-01 but for `claims`. */
function token(claims: JWTPayload = {}, header: object = {}, key = keys.privateKey): Promise<string> {
  const nowSeconds = Date.UTC(2026, 0, 1) / 1000
  return new SignJWT({ iss: issuer, aud: 'mail', exp: nowSeconds + 600, email: 'ann@example.org', ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
    .sign(key)
}

test('a good token logs its address in, by OAUTHBEARER and XOAUTH2', async t => {
  const { show, login } = await open(t)
  assert.ok(mechanisms(login, peerOf()).includes('OAUTHBEARER'))
  assert.ok(!mechanisms(login, peerOf({ secure: false })).includes('OAUTHBEARER'))
  assert.equal((await show(await token())).identity.address, 'ann@example.org')
  assert.equal(
    (await show(await token(), 'OAUTHBEARER', 'ann@example.org')).identity.address,
    'ann@example.org',
  )
  assert.equal((await show(await token(), 'XOAUTH2', 'Ann@example.org')).identity.address, 'ann@example.org')
  assert.equal((await show(await token({ aud: ['web', 'mail'] }))).identity.address, 'ann@example.org')
})

test('a refused token gets the error that names the issuer, then the failure (RFC 7628 §3.2.2)', async t => {
  const { show, said } = await open(t, { requiredScope: 'mail' })
  await assert.rejects(show(await token()), coded('bad-credentials'))
  assert.deepEqual(JSON.parse(said[0] ?? ''), {
    status: 'invalid_token',
    scope: 'mail',
    'openid-configuration': `${issuer}/.well-known/openid-configuration`,
  })
  await show(await token({ scope: 'openid mail' }))
})

test('CVE-2021-29157: no token gets in with alg=none, a kid that is a path, another key, audience, issuer or time', async t => {
  const { show, logged } = await open(t)
  const claims = {
    iss: issuer,
    aud: 'mail',
    exp: Date.UTC(2026, 0, 1) / 1000 + 600,
    email: 'ann@example.org',
  }
  const [header, payload] = (await token()).split('.')
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const own = await exportJWK(otherKeys.publicKey)
  const bad: [string, string][] = [
    ['alg none', new UnsecuredJWT(claims).encode()],
    ['alg none, spelt otherwise', `${encode({ alg: 'NoNe', kid: 'k1' })}.${payload}.`],
    ['no signature', `${header}.${payload}.`],
    ['kid with a path', await token({}, { kid: '../../../../dev/null' }, otherKeys.privateKey)],
    ['kid with a path and NUL', await token({}, { kid: '/proc/self/environ\0' }, otherKeys.privateKey)],
    ['a key of its own', await token({}, { jwk: own }, otherKeys.privateKey)],
    [
      'a key of its own elsewhere',
      await token({}, { jku: 'http://127.0.0.1:1/', kid: 'k1' }, otherKeys.privateKey),
    ],
    ['another key', await token({}, {}, otherKeys.privateKey)],
    [
      'HMAC with the public key',
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(Buffer.from(keySet)),
    ],
    ['wrong audience', await token({ aud: 'web' })],
    ['no audience', await token({ aud: [] })],
    ['wrong issuer', await token({ iss: 'https://id.example.com' })],
    ['expired', await token({ exp: Date.UTC(2025, 11, 31) / 1000 })],
    ['not yet', await token({ nbf: Date.UTC(2026, 0, 2) / 1000 })],
    ['address not verified', await token({ email_verified: false })],
    ['no address', await token({ email: '' })],
    ['somebody who is not here', await token({ email: 'nobody@example.org' })],
    ['address that is no text', await token({ email: ['ann@example.org'] as unknown as string })],
    ['not a token', 'x'],
    ['an endless token', 'x'.repeat(100_000)],
  ]
  for (const [what, text] of bad) {
    await assert.rejects(show(text), (error: unknown) => coded('bad-credentials')(error) || assert.fail(what))
    if (text.length > 20 && text.length < 1000) assert.ok(!logged.join('\n').includes(text.slice(20)), what)
  }
})

test('a signature of a kind that the configuration does not list is refused, though its key is right', async t => {
  const { show } = await open(t, { algorithms: ['RS256', 'EdDSA'] })
  await assert.rejects(show(await token()), coded('bad-credentials'))
})

test('a token is for its own account: another name is refused', async t => {
  const { show, directory } = await open(t)
  await createAccount(directory, { address: 'bob@example.org', password: 'correct horse' })
  await assert.rejects(show(await token(), 'XOAUTH2', 'bob@example.org'), coded('bad-credentials'))
  await assert.rejects(show(await token(), 'OAUTHBEARER', 'bob@example.org'), coded('bad-credentials'))
})

test('keys are fetched from the issuer; while it cannot be reached a log-in is unavailable, not wrong', async t => {
  let isDown = true
  const server = createServer((_request, response) => {
    response.writeHead(isDown ? 500 : 200, { 'content-type': 'application/json' })
    response.end(isDown ? 'down' : keySet)
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => server.close())
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  const { show } = await open(t, { jwksUrl, jwksFile: undefined })
  await assert.rejects(show(await token()), coded('unavailable'))
  isDown = false
  assert.equal((await show(await token())).identity.address, 'ann@example.org')
})
