import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { authenticate, mechanisms } from '../../src/account/authenticate.ts'
import { createAccount, updateAccount } from '../../src/account/directory.ts'
import type { Identity } from '../../src/account/identity.ts'
import type { Login } from '../../src/account/login.ts'
import { LoginError, type LoginErrorCode } from '../../src/account/login-error.ts'
import type { LoginPeer } from '../../src/account/login-peer.ts'
import { createSharedSecret, deleteSharedSecret, setPassword } from '../../src/account/set-password.ts'
import { DirectoryError } from '../../src/account/directory-error.ts'
import { ScramClient } from '../sasl/scram-client.ts'
import { loginOver, openTestLogin, peerOf } from './open-login.ts'

const coded = (code: LoginErrorCode) => (error: unknown) => error instanceof LoginError && error.code === code
const clear = peerOf({ secure: false })
const binding = Buffer.from('binding data')
const bound = peerOf({ tls: { clientCertificate: undefined, channelBinding: () => binding } })

/** Answers the challenges in turn. */
function script(...answers: readonly (string | ((challenge: string) => string))[]) {
  let turn = 0
  return async (challenge: Buffer) => {
    const answer = answers[turn++]
    if (answer === undefined) throw new LoginError('cancelled', 'no more answers')
    return Buffer.from(typeof answer === 'string' ? answer : answer(challenge.toString()))
  }
}

function plain(
  login: Login,
  peer: LoginPeer,
  ...parts: readonly [string, string, string]
): Promise<Identity> {
  return authenticate(login, peer, 'plain', Buffer.from(parts.join('\0')), script())
}

interface ScramOptions {
  readonly hash?: 'sha1' | 'sha256'
  readonly flag?: string
  readonly bindingData?: Buffer
  readonly mechanism?: string
  readonly authzid?: string
  readonly seen?: string[]
}

function scram(login: Login, peer: LoginPeer, name: string, secret: string, options: ScramOptions = {}) {
  const { hash = 'sha256', seen = [], mechanism, ...rest } = options
  const client = new ScramClient({ hash, name, password: secret, nonce: 'clientnonce', ...rest })
  const final = (serverFirst: string) => {
    seen.push(serverFirst)
    return client.final(Buffer.from(serverFirst)).toString()
  }
  const confirm = (serverFinal: string) => {
    assert.ok(client.isServer(Buffer.from(serverFinal)))
    return ''
  }
  const named = mechanism ?? (hash === 'sha256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-1')
  return authenticate(login, peer, named, client.first(), script(final, confirm))
}

test('PLAIN and LOGIN log in with and without an initial response', async () => {
  const { login, directory } = await openTestLogin()
  const account = await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const answers = await Promise.all([
    plain(login, peerOf(), '', 'ann', 'correct horse'),
    authenticate(login, peerOf(), 'PLAIN', undefined, script('\0ann\0correct horse')),
    authenticate(login, peerOf(), 'LOGIN', undefined, script('ann', 'correct horse')),
    authenticate(login, peerOf(), 'Login', Buffer.from('ann'), script('correct horse')),
  ])
  for (const identity of answers) assert.equal(identity.account, account)
  await assert.rejects(plain(login, peerOf(), '', 'ann', 'wrong'), coded('bad-credentials'))
  await assert.rejects(
    authenticate(login, peerOf(), 'PLAIN', Buffer.from('ann'), script()),
    coded('malformed'),
  )
})

test('what shows a password is neither offered nor taken in the clear; SCRAM is (RFC 8314 §3)', async () => {
  const { login, directory } = await openTestLogin()
  await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  assert.deepEqual(mechanisms(login, clear), ['SCRAM-SHA-256', 'SCRAM-SHA-1'])
  assert.deepEqual(mechanisms(login, peerOf()), ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN'])
  assert.deepEqual(mechanisms(login, bound).slice(0, 2), ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS'])
  const local = peerOf({ secure: false, isLoopback: true, address: '127.0.0.1' })
  assert.ok(mechanisms(login, local).includes('PLAIN'))
  await assert.rejects(plain(login, clear, '', 'ann', 'correct horse'), coded('needs-tls'))
  await scram(login, clear, 'ann', 'correct horse')
})

test('SCRAM-SHA-1 and -256 log in with the right password only, and after a change with the new one', async () => {
  const { login, directory } = await openTestLogin()
  const account = await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  for (const hash of ['sha1', 'sha256'] as const) {
    assert.equal((await scram(login, peerOf(), 'ann', 'correct horse', { hash })).account, account)
    await assert.rejects(scram(login, peerOf(), 'ann', 'wrong', { hash }), coded('bad-credentials'))
  }
  await setPassword(directory, account, 'battery staple')
  await assert.rejects(scram(login, peerOf(), 'ann', 'correct horse'), coded('bad-credentials'))
  await scram(login, peerOf(), 'ann', 'battery staple')
})

test('SCRAM-PLUS binds the channel, and a client that was lied to about it is refused (RFC 5802 §6)', async () => {
  const { login, directory } = await openTestLogin()
  await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const mechanism = 'SCRAM-SHA-256-PLUS'
  const flag = 'p=tls-exporter'
  await scram(login, bound, 'ann', 'correct horse', { mechanism, flag, bindingData: binding })
  const wrong = Buffer.from('another channel')
  await assert.rejects(
    scram(login, bound, 'ann', 'correct horse', { mechanism, flag, bindingData: wrong }),
    coded('bad-credentials'),
  )
  await assert.rejects(scram(login, bound, 'ann', 'correct horse', { flag: 'y' }), coded('bad-credentials'))
  await assert.rejects(
    scram(login, peerOf(), 'ann', 'correct horse', { mechanism, flag, bindingData: binding }),
    coded('unknown-mechanism'),
  )
})

test('SCRAM gives an unknown name a salt that stays the same over threads, and looks like a real one', async () => {
  const first = await openTestLogin()
  const second = loginOver(first.directory, first.clock)
  await createAccount(first.directory, { address: 'ann@example.org', password: 'correct horse' })
  const seen: string[] = []
  for (const { login } of [first, second, first]) {
    await assert.rejects(scram(login, peerOf(), 'nobody', 'x', { seen }), coded('bad-credentials'))
  }
  await scram(first.login, peerOf(), 'ann', 'correct horse', { seen })
  const shapes = seen.map(each => each.replace(/^r=[^,]+/, ''))
  assert.equal(shapes[0], shapes[1])
  assert.equal(shapes[0], shapes[2])
  assert.equal(shapes[0]?.length, shapes[3]?.length)
  assert.notEqual(shapes[0], shapes[3])
})

test('only an administrator acts for somebody else, with authzid (RFC 4422 §3.4.1)', async () => {
  const { login, directory } = await openTestLogin()
  const ann = await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  await createAccount(directory, { address: 'bob@example.org', password: 'correct horse' })
  await createAccount(directory, { address: 'root@example.org', password: 'correct horse', isAdmin: true })
  assert.equal((await plain(login, peerOf(), 'ANN', 'ann', 'correct horse')).account, ann)
  await assert.rejects(plain(login, peerOf(), 'ann', 'bob', 'correct horse'), coded('bad-credentials'))
  const acting = await plain(login, peerOf(), 'ann', 'root', 'correct horse')
  assert.deepEqual(
    [acting.account, acting.address, acting.isAdmin, acting.actingAdmin],
    [ann, 'ann@example.org', false, 'root@example.org'],
  )
  assert.equal((await scram(login, peerOf(), 'root', 'correct horse', { authzid: 'ann' })).account, ann)
  await assert.rejects(plain(login, peerOf(), 'nobody', 'root', 'correct horse'), coded('bad-credentials'))
  await updateAccount(directory, { account: ann, state: 'disabled' })
  await assert.rejects(plain(login, peerOf(), 'ann', 'root', 'correct horse'), coded('disabled'))
  await assert.rejects(plain(login, peerOf(), '', 'ann', 'correct horse'), coded('bad-credentials'))
})

function cramMd5(login: Login, name: string, secret: string): Promise<Identity> {
  const answer = (challenge: string) => `${name} ${createHmac('md5', secret).update(challenge).digest('hex')}`
  return authenticate(login, clear, 'CRAM-MD5', undefined, script(answer))
}

test('CRAM-MD5 is off until the configuration and the account have opted in (RFC 2195)', async () => {
  const off = await openTestLogin()
  assert.ok(!mechanisms(off.login, peerOf()).includes('CRAM-MD5'))
  await assert.rejects(cramMd5(off.login, 'ann', 'x'), coded('unknown-mechanism'))
  const plainAccount = await createAccount(off.directory, {
    address: 'ann@example.org',
    password: 'correct horse',
  })
  await assert.rejects(
    createSharedSecret(off.directory, plainAccount),
    (error: unknown) => error instanceof DirectoryError && error.code === 'not-allowed',
  )
  const { login, directory } = await openTestLogin({
    login: { sharedSecrets: true, mechanisms: ['PLAIN', 'CRAM-MD5'] },
  })
  assert.deepEqual(mechanisms(login, clear), ['CRAM-MD5'])
  const ann = await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  await assert.rejects(cramMd5(login, 'ann', 'correct horse'), coded('bad-credentials'))
  const secret = await createSharedSecret(directory, ann)
  assert.equal((await cramMd5(login, 'ann', secret)).account, ann)
  await assert.rejects(cramMd5(login, 'ann', 'correct horse'), coded('bad-credentials'))
  await assert.rejects(cramMd5(login, 'nobody', secret), coded('bad-credentials'))
  await assert.rejects(login.password(peerOf(), 'ann', secret), coded('bad-credentials'))
  await deleteSharedSecret(directory, ann)
  await assert.rejects(cramMd5(login, 'ann', secret), coded('bad-credentials'))
  await setPassword(directory, ann, 'battery staple', true)
  await cramMd5(login, 'ann', 'battery staple')
  await setPassword(directory, ann, 'correct horse')
  await assert.rejects(cramMd5(login, 'ann', 'battery staple'), coded('bad-credentials'))
})

test('a client that gives up, and one that names a mechanism that is not there, get their own answers', async () => {
  const { login } = await openTestLogin()
  await assert.rejects(authenticate(login, peerOf(), 'PLAIN', undefined, script()), coded('cancelled'))
  for (const name of ['GSSAPI', 'ANONYMOUS', 'EXTERNAL', 'OAUTHBEARER', '__proto__', 'toString', '']) {
    await assert.rejects(authenticate(login, peerOf(), name, undefined, script()), coded('unknown-mechanism'))
  }
})

test('a wrong SCRAM proof counts for the limiter, an abandoned exchange does not', async () => {
  const { login, delays } = await openTestLogin({
    login: { limiter: { accountAndNetwork: { free: 1, refuseAt: 3 } } },
  })
  for (let i = 0; i < 5; i++) {
    await assert.rejects(
      authenticate(login, peerOf(), 'SCRAM-SHA-256', Buffer.from('n,,n=ann,r=x'), script()),
      coded('cancelled'),
    )
  }
  assert.deepEqual(delays, [])
  for (let i = 0; i < 3; i++) {
    await assert.rejects(scram(login, peerOf(), 'ann', 'wrong'), coded('bad-credentials'))
  }
  await assert.rejects(scram(login, peerOf(), 'ann', 'wrong'), coded('limited'))
})
