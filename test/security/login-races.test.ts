// A password that is changed, and an account that is disabled or removed, while a log-in is under way: from the acknowledgement on nobody gets in with
// what was. Style 23: after each wait, what was checked may have changed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { updateAccount } from '../../src/account/directory.ts'
import { LoginError } from '../../src/account/login-error.ts'
import { removeAccount } from '../../src/account/remove-account.ts'
import { setPassword } from '../../src/account/set-password.ts'
import { PasswordHasher } from '../../src/sasl/password.ts'
import { peerOf } from '../account/open-login.ts'
import { ScramClient } from '../sasl/scram-client.ts'
import { password, type Servers, startAll } from './all-protocols.ts'

const changes: readonly (readonly [string, (servers: Servers) => Promise<unknown>])[] = [
  ['the password is changed', ({ directory, ann }) => setPassword(directory, ann, 'another one')],
  [
    'the account is disabled',
    ({ directory, ann }) => updateAccount(directory, { account: ann, state: 'disabled' }),
  ],
  ['the account is removed', ({ store, ann }) => removeAccount(store, ann)],
]

for (const [what, change] of changes) {
  test(`a SCRAM exchange that began before does not get in after ${what}`, async t => {
    const servers = await startAll(t)
    const peer = await servers.connect('imap')
    const client = new ScramClient({ hash: 'sha256', name: 'ann', password, nonce: 'abcdefgh' })
    const challenge = await peer.ask(
      `a AUTHENTICATE SCRAM-SHA-256 ${client.first().toString('base64')}`,
      /^\+ .*\r\n$/,
    )
    const final = client.final(Buffer.from(challenge.slice(2).trim(), 'base64')).toString('base64')
    await change(servers)
    peer.send(`${final}\r\n`)
    const answer = await peer.until(/\r\n$/)
    // The proof was right when it was asked for, and the client is told the server's own; that is all.
    if (!answer.startsWith('+ ')) return assert.match(answer, /^a NO \[AUTHENTICATIONFAILED\]/)
    assert.match(await peer.ask('', /\r\n$/), /^a NO \[AUTHENTICATIONFAILED\]/)
    assert.match(await peer.ask('b SELECT INBOX', /\r\n$/), /^b BAD/)
  })

  test(`a SCRAM exchange whose last, empty message comes after ${what} does not get in`, async t => {
    const servers = await startAll(t)
    const peer = await servers.connect('submission')
    await peer.ask('EHLO a.example', /^250 .*\r\n$/m)
    const client = new ScramClient({ hash: 'sha1', name: 'ann', password, nonce: 'abcdefgh' })
    const first = await peer.ask(`AUTH SCRAM-SHA-1 ${client.first().toString('base64')}`, /^334 .*\r\n$/)
    const final = client.final(Buffer.from(first.slice(4).trim(), 'base64')).toString('base64')
    await peer.ask(final, /^334 .*\r\n$/)
    await change(servers)
    assert.match(await peer.ask('', /\r\n$/), /^535/)
  })

  test(`a password that waits to be hashed does not get in after ${what}`, async t => {
    const hash = { memoryKib: 4096, passes: 2, concurrency: 1 }
    const servers = await startAll(t, { account: { login: { hash, cacheMinutes: 10 } } })
    const { directory, login } = servers
    // Others are before it in the queue, so that the change is acknowledged first.
    const changing = change(servers)
    const others = Array.from({ length: 20 }, () => directory.hasher.hash('somebody else'))
    const attempt = login.password(peerOf(), 'ann', password).then(
      () => 'in',
      (error: unknown) => (error instanceof LoginError ? error.code : error),
    )
    let isChanged = false
    await changing.then(() => {
      isChanged = true
    })
    const settledFirst = await Promise.race([attempt, Promise.resolve('waits')])
    assert.ok(
      isChanged && settledFirst === 'waits',
      'the attempt is still under way when the change is acknowledged',
    )
    assert.equal(await attempt, 'bad-credentials')
    await Promise.all(others)
  })
}

test('a parallel log-in that hashes the password anew does not refuse the others', async t => {
  const servers = await startAll(t)
  const { directory, login } = servers
  // Made at another cost than today's, so that the first who gets in hashes it anew.
  const dearer = {
    ...directory,
    hasher: new PasswordHasher({ cost: { memoryKib: 16, passes: 1, parallelism: 1 } }),
  }
  await setPassword(dearer, servers.ann, 'made elsewhere')
  const attempts = await Promise.all(
    Array.from({ length: 10 }, () => login.password(peerOf(), 'ann', 'made elsewhere')),
  )
  assert.equal(attempts.length, 10)
})
