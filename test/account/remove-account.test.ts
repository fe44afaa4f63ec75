import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAppPassword } from '../../src/account/app-password.ts'
import { createAccount, type Directory } from '../../src/account/directory.ts'
import { removeAccount } from '../../src/account/remove-account.ts'
import type { AccountId } from '../../src/base/ids.ts'
import { summarize } from '../../src/message/summary.ts'
import { findAccount, listAccounts } from '../../src/store/read/account.ts'
import { findMailbox } from '../../src/store/read/mailboxes.ts'
import { StoreError } from '../../src/store/error.ts'
import { openTestDirectory } from './open-directory.ts'

const stored = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code

/** An account that has rows in as many tables as can be. */
async function fill(directory: Directory, address: string): Promise<AccountId> {
  const { store } = directory
  const account = await createAccount(directory, { address, password: 'correct horse' })
  await createAppPassword(directory, account, { name: 'phone' })
  const idOf = async (name: string) => {
    const mailbox = await findMailbox(store.reader, account, name)
    assert.ok(mailbox)
    return mailbox.id
  }
  const inbox = await idOf('INBOX')
  const messages = Array.from({ length: 25 }, (_, i) => {
    const bytes = Buffer.from(`Message-ID: <${i}@example.org>\r\nSubject: ${i}\r\n\r\nsame for all\r\n`)
    return {
      body: store.bodyOf(bytes),
      email: summarize(bytes),
      flags: { system: 0, keywords: [`k${i % 3}`] },
    }
  })
  await store.mutate('appendMessages', { account, mailbox: inbox, messages })
  await store.mutate('copyMessages', {
    account,
    mailbox: inbox,
    uids: [[1, 5]],
    target: await idOf('Archive'),
  })
  await store.mutate('moveMessages', { account, mailbox: inbox, uids: [[6, 9]], target: await idOf('Trash') })
  await store.mutate('expungeMessages', { account, mailbox: inbox, uids: [[10, 12]], onlyDeleted: false })
  await store.mutate('deleteMailbox', { account, mailbox: await idOf('Archive') })
  await store.snapshot(account, inbox)
  return account
}

/** How many rows each table has of an account. */
async function rowsOf(directory: Directory, account: AccountId): Promise<Record<string, number>> {
  const { reader } = directory.store
  const tables = await reader.all<{ name: string }>(
    `SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'account' WHERE m.type = 'table'`,
  )
  const rows: Record<string, number> = {}
  for (const { name } of tables) {
    const found = await reader.get<{ n: number }>(
      `SELECT count(*) AS n FROM "${name}" WHERE account = ?`,
      account,
    )
    if (found && found.n > 0) rows[name] = found.n
  }
  return rows
}

test('removal takes every row of the account and none of another’s', async t => {
  const directory = await openTestDirectory()
  t.after(() => directory.store.close())
  const gone = await fill(directory, 'gone@example.org')
  const kept = await fill(directory, 'kept@example.org')
  const before = await rowsOf(directory, kept)
  for (const table of [
    'message',
    'email',
    'blob',
    'tombstone',
    'keyword_set',
    'credential',
    'mailbox',
    'orphan',
  ]) {
    assert.ok((before[table] ?? 0) > 0, `the test fills ${table}`)
  }
  await removeAccount(directory.store, gone)
  assert.deepEqual(await rowsOf(directory, gone), {})
  assert.equal(await findAccount(directory.store.reader, gone), undefined)
  assert.deepEqual(await rowsOf(directory, kept), before)
})

test('a removal goes in bounded steps; maintenance ends one that was interrupted', async t => {
  const directory = await openTestDirectory()
  const { store } = directory
  t.after(() => store.close())
  const account = await fill(directory, 'gone@example.org')
  const total = async () => Object.values(await rowsOf(directory, account)).reduce((sum, n) => sum + n, 0)
  await store.mutate('beginAccountRemoval', { account })
  const before = await total()
  assert.deepEqual(await store.mutate('purgeAccount', { account, limit: 7 }), { isDone: false })
  assert.equal(before - (await total()), 7)
  assert.deepEqual(await listAccounts(store.reader), [])
  await assert.rejects(
    store.mutate('createCredential', { account, kind: 'app-password', name: '', secret: '', scopes: [] }),
    stored('no-such-account'),
  )
  await store.maintain()
  assert.equal(await total(), 0)
  assert.equal(await findAccount(store.reader, account), undefined)
})
