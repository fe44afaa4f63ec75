// Sessions that are open when their account or their password changes, and how many an account may have.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAppPassword, deleteAppPassword } from '../../src/account/app-password.ts'
import { createAccount, updateAccount } from '../../src/account/directory.ts'
import { removeAccount } from '../../src/account/remove-account.ts'
import { allocateSessionCounts, SessionCounts } from '../../src/account/session-counts.ts'
import { setPassword } from '../../src/account/set-password.ts'
import type { AccountId } from '../../src/base/ids.ts'
import { goesOn, password, type Peer, type Servers, startAll } from './all-protocols.ts'

const changes: readonly (readonly [string, (servers: Servers) => Promise<unknown>])[] = [
  ['the password is changed', ({ directory, ann }) => setPassword(directory, ann, 'another one')],
  [
    'the account is disabled',
    ({ directory, ann }) => updateAccount(directory, { account: ann, state: 'disabled' }),
  ],
  ['the account is removed', ({ store, ann }) => removeAccount(store, ann)],
]

const farewells = {
  imap: /^\* BYE Your account or its password has changed; log in again\r\n$/m,
  pop3: /^-ERR \[AUTH\] your account or its password has changed, log in again\r\n$/m,
  submission: /^421 4\.7\.0 Your account or its password has changed, log in again\r\n$/m,
} as const

for (const [what, change] of changes) {
  test(`sessions that are open end when ${what}, and those of others go on`, async t => {
    const servers = await startAll(t)
    const ended: (readonly [keyof typeof farewells, Peer])[] = []
    for (const protocol of ['imap', 'pop3', 'submission'] as const) {
      ended.push([protocol, await servers.enter(protocol)])
    }
    const idle = await servers.enter('imap')
    await idle.ask('a IDLE', /^\+ .*\r\n$/)
    ended.push(['imap', idle])
    const other = await servers.enter('imap', 'bob')
    await change(servers)
    for (const [protocol, peer] of ended) assert.match(await peer.rest(), farewells[protocol])
    await goesOn(other, 'imap')
  })
}

test('a command that runs is answered before the session ends', async t => {
  const servers = await startAll(t)
  const peer = await servers.enter('imap')
  const changing = setPassword(servers.directory, servers.ann, 'another one')
  peer.send('a NOOP\r\nb CREATE one\r\nc CREATE two\r\n')
  await changing
  const heard = await peer.rest()
  assert.match(heard, farewells.imap)
  const answers = heard.match(/^[abc] .*$/gm) ?? []
  assert.ok(
    answers.every(answer => /^[abc] OK /.test(answer)),
    heard,
  )
})

test('a session ends with the app password that opened it, and with no other', async t => {
  const servers = await startAll(t)
  const { directory, ann } = servers
  const phone = await createAppPassword(directory, ann, { name: 'phone' })
  await createAppPassword(directory, ann, { name: 'tablet' })
  const own = await servers.enter('imap')
  const peer = await servers.connect('imap')
  await peer.ask(`a LOGIN ann "${phone}"`, /^a OK .*\r\n$/m)
  await deleteAppPassword(directory, ann, 'tablet')
  await goesOn(peer, 'imap')
  await deleteAppPassword(directory, ann, 'phone')
  assert.match(await peer.rest(), farewells.imap)
  await goesOn(own, 'imap')
  await setPassword(directory, ann, 'another one')
  assert.match(await own.rest(), farewells.imap)
})

test('a password that is hashed anew leaves its sessions open', async t => {
  const servers = await startAll(t)
  const { directory, ann, store } = servers
  const peer = await servers.enter('imap')
  const row = await store.reader.get<{ secret: string }>(
    `SELECT secret FROM credential WHERE account = ? AND kind = 'password'`,
    ann,
  )
  const secret = await directory.hasher.hash(password)
  const credentials = [{ kind: 'password', name: '', secret, scopes: [] }] as const
  await store.mutate('replacePassword', { account: ann, credentials, ifSecret: row?.secret })
  // What makes sessions be looked up again finds the same password.
  await updateAccount(directory, { account: ann, displayName: 'Ann' })
  await goesOn(peer, 'imap')
})

test('an administrator in the account of another is out when his own password changes', async t => {
  const servers = await startAll(t)
  const { directory } = servers
  const boss = await createAccount(directory, { address: 'boss@example.org', password, isAdmin: true })
  const peer = await servers.connect('imap')
  const response = Buffer.from(`ann\0boss@example.org\0${password}`).toString('base64')
  await peer.ask(`a AUTHENTICATE PLAIN ${response}`, /^a OK .*\r\n$/m)
  const own = await servers.enter('imap')
  await setPassword(directory, boss, 'another one')
  assert.match(await peer.rest(), farewells.imap)
  await goesOn(own, 'imap')
})

test('an account has no more sessions than it may, of all protocols together', async t => {
  const servers = await startAll(t, { account: { login: { maxSessions: 2 } } })
  const first = await servers.enter('imap')
  await servers.enter('submission')
  const imap = await servers.connect('imap')
  const login = `LOGIN ann "${password}"`
  assert.match(
    await imap.ask(`a ${login}`, /\r\n$/),
    /^a NO \[LIMIT\] This account has too many sessions open/,
  )
  const pop3 = await servers.connect('pop3')
  await pop3.ask('USER ann', /\r\n$/)
  assert.match(await pop3.ask(`PASS ${password}`, /\r\n$/), /^-ERR \[SYS\/TEMP\] the account has too many/)
  const submission = await servers.connect('submission')
  await submission.ask('EHLO a.example', /^250 .*\r\n$/m)
  const response = Buffer.from(`\0ann\0${password}`).toString('base64')
  assert.match(await submission.ask(`AUTH PLAIN ${response}`, /\r\n$/), /^454 4\.7\.0/)
  await servers.enter('imap', 'bob')
  // One that is left makes room.
  await first.ask('b UNAUTHENTICATE', /^b OK .*\r\n$/m)
  assert.match(await imap.ask(`c ${login}`, /\r\n$/), /^c OK/)
})

test('sessions are counted over all threads, and those of a thread that begins anew are forgotten', () => {
  const table = allocateSessionCounts()
  const one = new SessionCounts(0, table)
  const two = new SessionCounts(1, table)
  const account = 7 as AccountId
  one.add(account, 1)
  two.add(account, 1)
  two.add(account, 1)
  assert.deepEqual([one.of(account), two.of(account), one.of(8 as AccountId)], [3, 3, 0])
  two.add(account, -1)
  assert.equal(new SessionCounts(0, table).of(account), 1)
})
