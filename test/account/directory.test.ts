import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAddress } from '../../src/account/address.ts'
import { createAppPassword, listAppPasswords } from '../../src/account/app-password.ts'
import {
  createAccount,
  createAlias,
  createDomain,
  deleteAlias,
  deleteDomain,
  findAccountByName,
  firstMailboxes,
  updateAccount,
} from '../../src/account/directory.ts'
import { DirectoryError, type DirectoryErrorCode } from '../../src/account/directory-error.ts'
import { removeAccount } from '../../src/account/remove-account.ts'
import { removePassword, setPassword } from '../../src/account/set-password.ts'
import type { AccountId } from '../../src/base/ids.ts'
import { StoreError } from '../../src/store/error.ts'
import { findAccount, listAccounts } from '../../src/store/read/account.ts'
import { listAliases } from '../../src/store/read/alias.ts'
import { listCredentials } from '../../src/store/read/credential.ts'
import { listDomains } from '../../src/store/read/domain.ts'
import { openTestDirectory, testConfig } from './open-directory.ts'

const stored = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code
const coded = (code: DirectoryErrorCode) => (error: unknown) =>
  error instanceof DirectoryError && error.code === code
const { addressing } = testConfig()

test('a new account has its six mailboxes, subscribed, with their special uses (RFC 6154)', async () => {
  const { store, ...rest } = await openTestDirectory()
  const account = await createAccount(
    { store, ...rest },
    { address: 'ann@example.org', password: 'correct horse' },
  )
  const rows = await store.reader.all<{ name: string; use: string | null; validity: number }>(
    `SELECT m.name, m.special_use AS "use", m.uid_validity AS validity FROM mailbox m
       JOIN subscription s ON s.account = m.account AND s.name = m.name WHERE m.account = ? ORDER BY m.id`,
    account,
  )
  assert.deepEqual(
    rows.map(row => ({ name: row.name, ...(row.use === null ? {} : { specialUse: row.use }) })),
    firstMailboxes,
  )
  assert.equal(new Set(rows.map(row => row.validity)).size, rows.length)
  assert.deepEqual(
    (await listCredentials(store.reader, account)).map(row => row.kind),
    ['password', 'scram-sha-1', 'scram-sha-256'],
  )
})

test('an account is made whole or not at all', async () => {
  const directory = await openTestDirectory()
  await createAccount(directory, { address: 'ann@example.org' })
  await assert.rejects(createAccount(directory, { address: 'ANN@example.org' }), stored('exists'))
  await assert.rejects(createAccount(directory, { address: 'ann@elsewhere.example' }), stored('not-found'))
  await assert.rejects(createAccount(directory, { address: 'a b@example.org' }), coded('invalid-address'))
  await assert.rejects(
    createAccount(directory, { address: 'bob@example.org', password: 'short' }),
    coded('invalid-password'),
  )
  await assert.rejects(
    createAccount(directory, { address: 'bob@example.org', displayName: 'a\r\nb' }),
    coded('invalid-name'),
  )
  assert.deepEqual(
    (await listAccounts(directory.store.reader)).map(row => row.address),
    ['ann@example.org'],
  )
  await createAccount(directory, { address: 'ann@elsewhere.example', createDomain: true })
  assert.deepEqual(
    (await listDomains(directory.store.reader)).map(row => row.name),
    ['elsewhere.example', 'example.org'],
  )
})

test('what the directory says of an account can be changed piece by piece', async () => {
  const directory = await openTestDirectory()
  const account = await createAccount(directory, { address: 'ann@example.org', quotaBytes: 1000 })
  await updateAccount(directory, { account, displayName: 'Ann', isAdmin: true })
  await updateAccount(directory, { account, state: 'disabled', quotaMessages: 5, quotaBytes: null })
  const row = await findAccountByName(directory, 'ann')
  assert.deepEqual(
    [row?.displayName, row?.isAdmin, row?.state, row?.quotaBytes, row?.quotaMessages],
    ['Ann', true, 'disabled', undefined, 5],
  )
  await assert.rejects(
    updateAccount(directory, { account: 99 as AccountId, isAdmin: true }),
    stored('no-such-account'),
  )
})

test('a password is set and taken away with all that was made of it', async () => {
  const directory = await openTestDirectory()
  const account = await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  const secrets = async () => (await listCredentials(directory.store.reader, account)).map(row => row.secret)
  const before = await secrets()
  await setPassword(directory, account, 'correct horse')
  const after = await secrets()
  assert.equal(after.length, before.length)
  assert.deepEqual(
    after.filter(secret => before.includes(secret)),
    [],
  )
  for (const secret of after) assert.ok(!secret.includes('correct horse'))
  await createAppPassword(directory, account, { name: 'phone' })
  await removePassword(directory, account)
  assert.deepEqual(
    (await listCredentials(directory.store.reader, account)).map(row => row.kind),
    ['app-password'],
  )
})

test('app passwords have names of their own, services that exist, and secrets that are not kept', async () => {
  const directory = await openTestDirectory()
  const account = await createAccount(directory, { address: 'ann@example.org' })
  const text = await createAppPassword(directory, account, { name: 'phone', scopes: ['imap'] })
  await assert.rejects(createAppPassword(directory, account, { name: 'phone' }), stored('exists'))
  await assert.rejects(createAppPassword(directory, account, { name: '' }), coded('invalid-name'))
  await assert.rejects(
    createAppPassword(directory, account, { name: 'x', scopes: [] }),
    coded('invalid-scope'),
  )
  const [listed] = await listAppPasswords(directory, account)
  assert.deepEqual([listed?.name, listed?.scopes, listed?.expiresAt], ['phone', ['imap'], undefined])
  const [row] = await listCredentials(directory.store.reader, account)
  assert.ok(!row?.secret.includes(text.replaceAll('-', '')))
})

test('a domain goes when nothing uses it', async () => {
  const directory = await openTestDirectory()
  await createDomain(directory, 'Example.NET')
  await assert.rejects(createDomain(directory, 'example.net.'), stored('exists'))
  await createAlias(directory, '@example.net', ['x@example.com'])
  await assert.rejects(deleteDomain(directory, 'example.net'), stored('in-use'))
  await deleteAlias(directory, '@example.net')
  await createAccount(directory, { address: 'ann@sub.example.net', createDomain: true })
  await deleteDomain(directory, 'example.net')
  await assert.rejects(deleteDomain(directory, 'example.net'), stored('not-found'))
  await assert.rejects(deleteDomain(directory, 'sub.example.net'), stored('in-use'))
})

test('aliases are listed and lose one target or all', async () => {
  const directory = await openTestDirectory()
  await createAlias(directory, 'team@example.org', ['b@x.example', 'a@x.example'])
  await assert.rejects(createAlias(directory, 'team@example.org', ['A@x.example']), stored('exists'))
  await assert.rejects(createAlias(directory, 'team@elsewhere.example', ['a@x.example']), stored('not-found'))
  const targets = async () => (await listAliases(directory.store.reader)).map(row => row.target)
  assert.deepEqual(await targets(), ['a@x.example', 'b@x.example'].map(each => each.toLowerCase()).sort())
  await deleteAlias(directory, 'team@example.org', 'b@x.example')
  await assert.rejects(deleteAlias(directory, 'team@example.org', 'b@x.example'), stored('not-found'))
  await deleteAlias(directory, 'team@example.org')
  assert.deepEqual(await targets(), [])
})

test('a removed account’s address is free at once, and its id is never given again', async () => {
  const directory = await openTestDirectory()
  const first = await createAccount(directory, { address: 'ann@example.org', password: 'correct horse' })
  await removeAccount(directory.store, first)
  assert.equal(await findAccount(directory.store.reader, first), undefined)
  const second = await createAccount(directory, { address: 'ann@example.org' })
  assert.notEqual(second, first)
  for (const table of ['mailbox', 'subscription', 'credential']) {
    const rows = await directory.store.reader.all(`SELECT account FROM ${table} WHERE account = ?`, first)
    assert.deepEqual(rows, [], table)
  }
  await assert.rejects(removeAccount(directory.store, first), stored('no-such-account'))
})

test('purging never touches an account that is not being removed', async () => {
  const directory = await openTestDirectory()
  const account = await createAccount(directory, { address: 'ann@example.org' })
  await directory.store.mutate('purgeAccount', { account, limit: 1000 })
  assert.equal((await findAccount(directory.store.reader, account))?.address, 'ann@example.org')
})

test('the normal form of an address is its own normal form, whatever was given', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.emailAddress(), fc.string()), text => {
      const first = parseAddress(text, addressing)
      if (!first) return
      assert.deepEqual(parseAddress(first.address, addressing), first)
      assert.doesNotMatch(first.address, /[\s\0"<>]/)
    }),
    { numRuns: 2000 },
  )
})

test('what no account can be called is no address', () => {
  const bad = [
    '',
    '@',
    'a@',
    '@b.example',
    'a b@c.example',
    'a@b c',
    'a@-b.example',
    'a@b..example',
    'a@[192.0.2.1]',
  ]
  bad.push(
    'a@192.0.2.1',
    'a@b/c',
    'a@%41.example',
    'a\0@b.example',
    'a@b.example\r\n',
    'a@b@c.example',
    'a\u200bb@c.example',
  )
  bad.push(
    `${'a'.repeat(65)}@b.example`,
    `a@${'b'.repeat(64)}.example`,
    `a@${'b.'.repeat(130)}example`,
    '\ud800@b.example',
  )
  for (const text of bad) assert.equal(parseAddress(text, addressing), undefined, text)
  assert.equal(parseAddress(`${'a'.repeat(64)}@b.example`, addressing)?.localPart.length, 64)
  assert.equal(parseAddress('ANN', { ...addressing, isCaseSensitive: true })?.address, 'ANN@example.org')
})
