import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createAccount,
  createAlias,
  createDomain,
  type Directory,
  findAccountByName,
  updateAccount,
} from '../../src/account/directory.ts'
import type { AccountId } from '../../src/base/ids.ts'
import { removeAccount } from '../../src/account/remove-account.ts'
import { resolveRecipient } from '../../src/account/resolve-recipient.ts'
import { StoreError } from '../../src/store/error.ts'
import { openTestDirectory } from './open-directory.ts'

const stored = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code

async function withAccounts(): Promise<Directory> {
  const directory = await openTestDirectory()
  for (const name of ['ann', 'bob', 'cid']) await createAccount(directory, { address: `${name}@example.org` })
  return directory
}

/** What a recipient resolves to, as one line. */
async function resolved(directory: Directory, address: string): Promise<string> {
  const found = await resolveRecipient(directory.store.reader, address, directory.config.addressing)
  if (found.kind === 'accounts') {
    const names = found.accounts.map(
      each => each.address + (each.detail === undefined ? '' : ` (${each.detail})`),
    )
    return ['accounts', ...names.sort(), ...[...found.forwards].sort()].join(' ')
  }
  return found.kind === 'forward' ? `forward ${[...found.forwards].sort().join(' ')}` : found.kind
}

test('an address resolves to its account in any case, with its detail; other domains are relayed', async () => {
  const directory = await withAccounts()
  assert.equal(await resolved(directory, 'ann@example.org'), 'accounts ann@example.org')
  assert.equal(await resolved(directory, 'ANN@Example.ORG'), 'accounts ann@example.org')
  assert.equal(await resolved(directory, '"ann"@example.org'), 'accounts ann@example.org')
  assert.equal(await resolved(directory, 'ann+Lists@example.org'), 'accounts ann@example.org (lists)')
  assert.equal(await resolved(directory, 'ann+@example.org'), 'accounts ann@example.org ()')
  assert.equal(await resolved(directory, 'ann'), 'accounts ann@example.org')
  assert.equal(await resolved(directory, 'dan@example.org'), 'unknown')
  assert.equal(await resolved(directory, '+ann@example.org'), 'unknown')
  for (const elsewhere of ['ann@example.com', 'ann@sub.example.org', 'ann@[192.0.2.1]', 'ann@']) {
    assert.equal(await resolved(directory, elsewhere), 'relay')
  }
})

test('an account whose name has the separator in it comes before the plus address', async () => {
  const directory = await withAccounts()
  await createAccount(directory, { address: 'ann+own@example.org' })
  assert.equal(await resolved(directory, 'ann+own@example.org'), 'accounts ann+own@example.org')
})

test('an internationalised domain is one domain in both its forms', async () => {
  const directory = await openTestDirectory()
  await createDomain(directory, 'Bücher.example')
  await createAccount(directory, { address: 'jürgen@bücher.example' })
  const name = 'accounts jürgen@xn--bcher-kva.example'
  assert.equal(await resolved(directory, 'jürgen@xn--bcher-kva.example'), name)
  assert.equal(await resolved(directory, 'JU\u0308RGEN@BÜCHER.example'), name)
})

test('an alias leads to accounts here and elsewhere, through others, each once', async () => {
  const directory = await withAccounts()
  await createAlias(directory, 'team@example.org', [
    'ann@example.org',
    'boss@example.org',
    'x@elsewhere.example',
  ])
  await createAlias(directory, 'boss@example.org', ['bob@example.org', 'ann@example.org'])
  await createAlias(directory, 'out@example.org', ['x@elsewhere.example', 'y@elsewhere.example'])
  await createAlias(directory, 'dead@example.org', ['nobody@example.org'])
  assert.equal(
    await resolved(directory, 'team@example.org'),
    'accounts ann@example.org bob@example.org x@elsewhere.example',
  )
  assert.equal(
    await resolved(directory, 'out@example.org'),
    'forward x@elsewhere.example y@elsewhere.example',
  )
  assert.equal(await resolved(directory, 'dead@example.org'), 'unknown')
  assert.equal(
    await resolved(directory, 'boss+news@example.org'),
    'accounts ann@example.org (news) bob@example.org (news)',
  )
})

test('an alias of an account’s own address forwards, and keeps a copy with the address among its targets', async () => {
  const directory = await withAccounts()
  await createAlias(directory, 'ann@example.org', ['ann@home.example'])
  assert.equal(await resolved(directory, 'ann@example.org'), 'forward ann@home.example')
  await createAlias(directory, 'ann@example.org', ['ann@example.org'])
  assert.equal(await resolved(directory, 'ann@example.org'), 'accounts ann@example.org ann@home.example')
  assert.equal(
    await resolved(directory, 'ann+x@example.org'),
    'accounts ann@example.org (x) ann@home.example',
  )
})

test('the catch-all takes what nobody else has', async () => {
  const directory = await withAccounts()
  await createAlias(directory, '@example.org', ['cid@example.org'])
  assert.equal(await resolved(directory, 'whatever@example.org'), 'accounts cid@example.org')
  assert.equal(await resolved(directory, '"with space"@example.org'), 'accounts cid@example.org')
  assert.equal(await resolved(directory, 'ann@example.org'), 'accounts ann@example.org')
})

test('mail for postmaster reaches the administrators where nobody else is (RFC 5321 §4.5.1)', async () => {
  const directory = await withAccounts()
  assert.equal(await resolved(directory, 'postmaster@example.org'), 'unknown')
  await createAccount(directory, { address: 'root@example.org', isAdmin: true })
  await createDomain(directory, 'example.net')
  assert.equal(await resolved(directory, 'Postmaster@example.net'), 'accounts root@example.org')
  assert.equal(await resolved(directory, 'Postmaster'), 'accounts root@example.org')
  await createAlias(directory, 'postmaster@example.net', ['ann@example.org'])
  assert.equal(await resolved(directory, 'postmaster@example.net'), 'accounts ann@example.org')
})

test('an alias that would lead to itself is refused, and one that does so by detail ends', async () => {
  const directory = await withAccounts()
  await assert.rejects(createAlias(directory, 'loop@example.org', ['loop@example.org']), stored('loop'))
  await createAlias(directory, 'a@example.org', ['b@example.org'])
  await createAlias(directory, 'b@example.org', ['c@example.org'])
  await assert.rejects(
    createAlias(directory, 'c@example.org', ['ann@example.org', 'a@example.org']),
    stored('loop'),
  )
  assert.equal(await resolved(directory, 'a@example.org'), 'unknown')
  await createAlias(directory, 'round@example.org', ['round+again@example.org', 'bob@example.org'])
  assert.equal(await resolved(directory, 'round@example.org'), 'accounts bob@example.org')
})

test('a disabled account still gets its mail, a removed one does not, nor do aliases lead to it', async () => {
  const directory = await withAccounts()
  await createAlias(directory, 'both@example.org', ['ann@example.org', 'bob@example.org'])
  const account = (await findAccountByName(directory, 'ann'))?.id as AccountId
  await updateAccount(directory, { account, state: 'disabled' })
  assert.equal(await resolved(directory, 'ann@example.org'), 'accounts ann@example.org')
  await removeAccount(directory.store, account)
  assert.equal(await resolved(directory, 'ann@example.org'), 'unknown')
  assert.equal(await resolved(directory, 'both@example.org'), 'accounts bob@example.org')
})

test('a chain of aliases is followed to its limit and no further', async () => {
  const directory = await withAccounts()
  for (let i = 0; i < 40; i++) await createAlias(directory, `c${i}@example.org`, [`c${i + 1}@example.org`])
  await createAlias(directory, 'c40@example.org', ['ann@example.org'])
  assert.equal(await resolved(directory, 'c30@example.org'), 'accounts ann@example.org')
  assert.equal(await resolved(directory, 'c0@example.org'), 'unknown')
})
