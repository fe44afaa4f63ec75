import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAppPassword, deleteAppPassword } from '../../src/account/app-password.ts'
import { createAccount, openDirectory, updateAccount } from '../../src/account/directory.ts'
import { LoginError, type LoginErrorCode } from '../../src/account/login-error.ts'
import { removeAccount } from '../../src/account/remove-account.ts'
import { setPassword } from '../../src/account/set-password.ts'
import { findLogin, listCredentials } from '../../src/store/read/credential.ts'
import { loginOver, openTestLogin, peerOf } from './open-login.ts'

const coded = (code: LoginErrorCode) => (error: unknown) => error instanceof LoginError && error.code === code

test('a right password logs in, by address, by local part, and in any case', async () => {
  const { login, directory } = await openTestLogin()
  const account = await createAccount(directory, { address: 'Ann@Example.org', password: 'correct horse' })
  for (const name of ['ann@example.org', 'ANN', 'ann', 'Ann@EXAMPLE.ORG.']) {
    const identity = await login.password(peerOf(), name, 'correct horse')
    assert.equal(identity.account, account)
    assert.equal(identity.address, 'ann@example.org')
    assert.equal(identity.isAdmin, false)
  }
})

test('a wrong password, an unknown name and a disabled account get the same answer', async () => {
  const { login, directory } = await openTestLogin()
  await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const off = await createAccount(directory, { address: 'off@example.org', password: 'correct horse' })
  await updateAccount(directory, { account: off, state: 'disabled' })
  const attempts = [
    ['ann', 'wrong'],
    ['off', 'correct horse'],
    ['off', 'wrong'],
    ['nobody', 'correct horse'],
  ] as const
  for (const [name, password] of attempts) {
    await assert.rejects(login.password(peerOf(), name, password), {
      name: 'LoginError',
      code: 'bad-credentials',
      message: 'unknown name or wrong credential',
    })
  }
})

test('a log-in by password reads no keys of SCRAM', async () => {
  const { directory } = await openTestLogin()
  const address = 'ann@example.org'
  await createAccount(directory, { address, password: 'correct horse' })
  const kinds = async (which?: 'no-scram') => {
    const row = await findLogin(directory.store.reader, address, which)
    return row?.credentials.map(credential => credential.kind).sort()
  }
  assert.deepEqual(await kinds(), ['password', 'scram-sha-1', 'scram-sha-256'])
  assert.deepEqual(await kinds('no-scram'), ['password'])
})

test('an account without a password, and a removed one, let nobody in', async () => {
  const { login, directory } = await openTestLogin()
  await createAccount(directory, { address: 'token@example.org' })
  const gone = await createAccount(directory, { address: 'gone@example.org', password: 'correct horse' })
  await login.password(peerOf(), 'gone', 'correct horse')
  await removeAccount(directory.store, gone)
  await assert.rejects(login.password(peerOf(), 'token', ''), coded('bad-credentials'))
  await assert.rejects(login.password(peerOf(), 'gone', 'correct horse'), coded('bad-credentials'))
})

test('a password is refused in the clear, but taken on TLS and from this machine', async () => {
  const { login, directory } = await openTestLogin()
  await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const clear = peerOf({ secure: false })
  await assert.rejects(login.password(clear, 'ann', 'correct horse'), coded('needs-tls'))
  await login.password(peerOf({ secure: true }), 'ann', 'correct horse')
  await login.password(
    peerOf({ secure: false, isLoopback: true, address: '127.0.0.1' }),
    'ann',
    'correct horse',
  )
})

test('CVE-2025-30189: with the cache warm for two users, neither gets in as the other, and a change takes effect at once', async () => {
  const first = await openTestLogin()
  const { directory, clock } = first
  const second = loginOver(directory, clock)
  const ann = await createAccount(directory, { address: 'ann@example.org', password: 'password of ann' })
  const bob = await createAccount(directory, { address: 'bob@example.org', password: 'password of bob' })
  for (const { login } of [first, second]) {
    assert.equal((await login.password(peerOf(), 'ann', 'password of ann')).account, ann)
    assert.equal((await login.password(peerOf(), 'bob', 'password of bob')).account, bob)
    await assert.rejects(login.password(peerOf(), 'ann', 'password of bob'), coded('bad-credentials'))
    await assert.rejects(login.password(peerOf(), 'bob', 'password of ann'), coded('bad-credentials'))
  }
  await setPassword(directory, ann, 'another for ann')
  for (const { login } of [first, second]) {
    await assert.rejects(login.password(peerOf(), 'ann', 'password of ann'), coded('bad-credentials'))
    assert.equal((await login.password(peerOf(), 'ann', 'another for ann')).account, ann)
    assert.equal((await login.password(peerOf(), 'bob', 'password of bob')).account, bob)
  }
})

test('a verified password is hashed once while it is remembered, and again afterwards', async t => {
  const { login, directory, clock } = await openTestLogin({ login: { cacheMinutes: 1 } })
  await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const verify = t.mock.method(directory.hasher, 'verify')
  await Promise.all([1, 2, 3].map(() => login.password(peerOf(), 'ann', 'correct horse')))
  await login.password(peerOf(), 'ann', 'correct horse')
  assert.equal(verify.mock.callCount(), 1)
  clock.advance(60_000)
  await login.password(peerOf(), 'ann', 'correct horse')
  assert.equal(verify.mock.callCount(), 2)
})

test('an unknown name costs one hash, as a known one does', async t => {
  const { login, directory } = await openTestLogin()
  await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const verify = t.mock.method(directory.hasher, 'verify')
  const dummy = t.mock.method(directory.hasher, 'dummyVerify')
  await assert.rejects(login.password(peerOf(), 'ann', 'wrong'), coded('bad-credentials'))
  assert.deepEqual([verify.mock.callCount(), dummy.mock.callCount()], [1, 0])
  await assert.rejects(login.password(peerOf(), 'nobody', 'wrong'), coded('bad-credentials'))
  await assert.rejects(login.password(peerOf(), 'no\0body', 'wrong'), coded('bad-credentials'))
  await assert.rejects(login.password(peerOf(), 'ann', 'bell\u0007'), coded('bad-credentials'))
  assert.deepEqual([verify.mock.callCount(), dummy.mock.callCount()], [1, 3])
})

test('hostile names are wrong names and nothing more', async () => {
  const { login, directory } = await openTestLogin({ login: { limiter: { network: { refuseAt: 1000 } } } })
  await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const names = [
    "ann@example.org' OR '1'='1",
    "'; DROP TABLE account; --",
    'ann@example.org\0',
    'ann\r\nLOGIN bob',
    'ann@example.org\r\n',
    '__proto__',
    'constructor',
    '%',
    'ann*',
    '',
    '@',
    'ann@',
    '@example.org',
    'a'.repeat(1024 * 1024),
    Buffer.from([0xff, 0xfe, 0x61]),
    '\ud800',
  ]
  for (const name of names) {
    await assert.rejects(login.password(peerOf(), name, 'correct horse'), coded('bad-credentials'))
  }
  await assert.rejects(login.password(peerOf(), 'ann', 'x'.repeat(1024 * 1024)), coded('bad-credentials'))
  assert.equal((await login.password(peerOf(), 'ann', 'correct horse')).address, 'ann@example.org')
})

test('no password, and no name that is nobody’s, reaches the log or an error', async () => {
  const { login, directory, logged } = await openTestLogin()
  await createAccount(directory, { address: 'ann@example.org', password: 'canary-right' })
  const texts: string[] = []
  for (const [name, password] of [
    ['ann', 'canary-right'],
    ['ann', 'canary-wrong'],
    ['canary-typed-as-name', 'x'],
  ] as const) {
    await login.password(peerOf(), name, password).catch((error: Error) => texts.push(String(error.stack)))
  }
  assert.equal(logged.length, 3)
  assert.doesNotMatch([...logged, ...texts].join('\n'), /canary/)
})

test('passwords are compared after SASLprep (RFC 4013)', async () => {
  const { login, directory } = await openTestLogin()
  await createAccount(directory, { address: 'ann@example.org', password: 'I\u00adX non\u00a0breaking ﬁ' })
  await login.password(peerOf(), 'ann', 'IX non breaking fi')
})

test('an app password works for its services until it expires or is taken back, beside the password', async () => {
  const { login, directory, clock } = await openTestLogin()
  const account = await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const expiresAt = clock.now() + 1000
  const text = await createAppPassword(directory, account, {
    name: 'phone',
    scopes: ['imap', 'smtp'],
    expiresAt,
  })
  assert.match(text, /^[a-z2-7]{5}(-[a-z2-7]{5}){3}$/)
  const identity = await login.password(peerOf(), 'ann', text)
  assert.deepEqual(identity.scopes, ['imap', 'smtp'])
  await login.password(peerOf(), 'ann', text.replaceAll('-', ' ').toUpperCase())
  await assert.rejects(login.password(peerOf({ protocol: 'pop3' }), 'ann', text), coded('scope'))
  clock.advance(1000)
  await assert.rejects(login.password(peerOf(), 'ann', text), coded('bad-credentials'))
  const other = await createAppPassword(directory, account, { name: 'laptop' })
  await login.password(peerOf({ protocol: 'pop3' }), 'ann', other)
  await deleteAppPassword(directory, account, 'laptop')
  await assert.rejects(login.password(peerOf(), 'ann', other), coded('bad-credentials'))
  await login.password(peerOf(), 'ann', 'correct horse')
})

test('a password is hashed anew at log-in when the cost has changed, and still works', async () => {
  const { login, directory, clock } = await openTestLogin()
  const account = await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const hashOf = async () =>
    (await listCredentials(directory.store.reader, account)).find(each => each.kind === 'password')?.secret
  const before = await hashOf()
  await login.password(peerOf(), 'ann', 'correct horse')
  assert.equal(await hashOf(), before)
  const { config, store } = directory
  const dearer = { ...config, login: { ...config.login, hash: { ...config.login.hash, passes: 2 } } }
  const upgraded = loginOver(openDirectory(store, dearer), clock)
  await upgraded.login.password(peerOf(), 'ann', 'correct horse')
  assert.match((await hashOf()) ?? '', /^\$argon2id\$v=19\$m=8,t=2,p=1\$/)
  await upgraded.login.password(peerOf(), 'ann', 'correct horse')
})

test('known and unknown names take the same time', async () => {
  const { login, directory } = await openTestLogin({
    login: {
      hash: { memoryKib: 4096, passes: 2 },
      limiter: { accountAndNetwork: { free: 1000, refuseAt: 2000 } },
    },
  })
  await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const timeOf = async (name: string, i: number) => {
    const from = process.hrtime.bigint()
    await login.password(peerOf(), name, `wrong ${i}`).catch(() => {})
    return Number(process.hrtime.bigint() - from) / 1e6
  }
  // In turns, and the least of each: what else the machine does only adds.
  let [known, unknown] = [Infinity, Infinity]
  for (let i = 0; i < 30; i++) {
    known = Math.min(known, await timeOf('ann', i))
    unknown = Math.min(unknown, await timeOf('nobody', i))
  }
  // An unknown name without the hash would take a tenth.
  assert.ok(unknown > known * 0.5 && unknown < known * 2, `${known} ms known, ${unknown} ms unknown`)
})
