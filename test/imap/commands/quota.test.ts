import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imapConfig } from '../../../src/imap/config.ts'
import { StoreError } from '../../../src/store/error.ts'
import { message, startImap } from '../harness.ts'

const mailboxes = 'MAILBOX 6 10000 ANNOTATION-STORAGE 0 4096'

test('GETQUOTAROOT and GETQUOTA tell what is used and what may be (RFC 9208 §4.1)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  assert.deepEqual(await client.ok('GETQUOTA alice@example.test'), [
    `* QUOTA "alice@example.test" (${mailboxes})`.replaceAll('"', ''),
  ])
  await server.store.mutate('updateAccount', {
    account: server.account,
    quotaBytes: 10 * 1024,
    quotaMessages: 5,
  })
  await client.append('INBOX', message('one', 'x'.repeat(2000)))
  assert.deepEqual(await client.ok('GETQUOTAROOT inbox'), [
    '* QUOTAROOT INBOX alice@example.test',
    `* QUOTA alice@example.test (STORAGE 3 10 MESSAGE 1 5 ${mailboxes})`,
  ])
  assert.match(
    (await client.ok('CAPABILITY'))[0] ?? '',
    / QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE QUOTA=RES-MAILBOX QUOTA=RES-ANNOTATION-STORAGE (?!QUOTASET)/,
  )
})

test("the server's default quota is shown where the account has none of its own", async t => {
  const server = await startImap(t, {
    config: { imap: imapConfig.parse({}), quota: { bytes: 2 ** 20, messages: null } },
  })
  const client = await server.client()
  assert.deepEqual(await client.ok('GETQUOTA alice@example.test'), [
    `* QUOTA alice@example.test (STORAGE 0 1024 ${mailboxes})`,
  ])
})

test('SETQUOTA is for administrators, on any root; what it does not name goes back to the default', async t => {
  const server = await startImap(t)
  const bob = await server.connect()
  await bob.login('bob@example.test')
  assert.match((await bob.command('SETQUOTA bob@example.test (STORAGE 512)')).tagged, /^NO \[NOPERM\]/)
  assert.match((await bob.command('GETQUOTA alice@example.test')).tagged, /^NO \[NOPERM\]/)
  assert.match((await bob.command('GETQUOTA nobody@example.test')).tagged, /^NO \[NOPERM\]/)
  await server.store.mutate('updateAccount', { account: server.account, isAdmin: true })
  const admin = await server.client()
  assert.match((await admin.ok('CAPABILITY'))[0] ?? '', / QUOTASET( |$)/)
  assert.deepEqual(await admin.ok('SETQUOTA bob@example.test (STORAGE 1 MAILBOX 7)'), [
    '* QUOTA bob@example.test (STORAGE 0 1 MAILBOX 6 7 ANNOTATION-STORAGE 0 4096)',
  ])
  assert.match((await bob.append('INBOX', message('large', 'x'.repeat(2000)))).tagged, /^NO \[OVERQUOTA\]/)
  await bob.ok('CREATE seven')
  assert.match((await bob.command('CREATE eight')).tagged, /^NO \[OVERQUOTA\]/)
  assert.match((await bob.command('CREATE a/b')).tagged, /^NO \[OVERQUOTA\]/)
  await bob.ok('DELETE seven')
  assert.equal((await bob.command('CREATE eight')).status, 'OK')
  await admin.ok('SETQUOTA bob@example.test ()')
  assert.equal((await bob.append('INBOX', message('large', 'x'.repeat(2000)))).status, 'OK')
  assert.match((await admin.command('GETQUOTA nobody@example.test')).tagged, /^NO \[NONEXISTENT\]/)
  assert.match((await admin.command('SETQUOTA bob@example.test (BOOK 5)')).tagged, /^NO \[CANNOT\]/)
  assert.match(
    (await admin.command('SETQUOTA bob@example.test (STORAGE 9007199254740991)')).tagged,
    /^NO \[LIMIT\]/,
  )
})

test('over quota: APPEND is refused before its literal, COPY after all, MOVE goes on (RFC 9208 §4.3.1)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one', 'x'.repeat(2000)))
  await server.store.mutate('updateAccount', { account: server.account, quotaBytes: 3000 })
  client.send('w APPEND INBOX {5000}\r\n')
  assert.match((await client.answer('w')).tagged, /^NO \[OVERQUOTA\]/)
  // Two that fit one by one, but not together.
  const body = message('x', 'y'.repeat(300))
  const both = `APPEND INBOX {${body.length}+}\r\n${body} {${body.length}+}\r\n${body}`
  assert.match((await client.command(both)).tagged, /^NO \[OVERQUOTA\]/)
  await client.ok('SELECT INBOX')
  assert.match((await client.command('COPY 1 Archive')).tagged, /^NO \[OVERQUOTA\]/)
  assert.deepEqual(await client.ok('STATUS Archive (MESSAGES)'), ['* STATUS Archive (MESSAGES 0)'])
  assert.equal((await client.command('MOVE 1 Archive')).status, 'OK')
  await server.store.mutate('updateAccount', { account: server.account, quotaBytes: null, quotaMessages: 1 })
  assert.match((await client.append('INBOX', message('two'))).tagged, /^NO \[OVERQUOTA\]/)
})

test('STATUS and LIST-STATUS tell DELETED and DELETED-STORAGE (RFC 9208 §4.1.4)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const body = message('one')
  await client.append('INBOX', body, '(\\Deleted) ')
  await client.append('INBOX', body, '(\\Deleted \\Seen) ')
  await client.append('INBOX', body)
  const status = `* STATUS INBOX (DELETED 2 DELETED-STORAGE ${2 * body.length})`
  assert.deepEqual(await client.ok('STATUS INBOX (DELETED DELETED-STORAGE)'), [status])
  assert.equal((await client.ok('LIST "" INBOX RETURN (STATUS (DELETED DELETED-STORAGE))'))[1], status)
  assert.deepEqual(await client.ok('STATUS Drafts (DELETED-STORAGE)'), [
    '* STATUS Drafts (DELETED-STORAGE 0)',
  ])
  // Another session has deleted the mailbox since it was listed.
  const snapshot = t.mock.method(server.store, 'snapshot', () => {
    throw new StoreError('no-such-mailbox', 'gone')
  })
  assert.deepEqual(await client.ok('STATUS INBOX (DELETED-STORAGE)'), ['* STATUS INBOX (DELETED-STORAGE 0)'])
  snapshot.mock.restore()
})

test('quota commands with bad syntax, or before log-in, are BAD; no mailbox is NO', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const wrong of [
    'GETQUOTA',
    'GETQUOTA a b',
    'GETQUOTAROOT',
    'SETQUOTA x',
    'SETQUOTA x STORAGE 1',
    'SETQUOTA x (STORAGE)',
    'SETQUOTA x (STORAGE -1)',
    'SETQUOTA x (STORAGE 1 STORAGE 2)',
  ])
    assert.equal((await client.command(wrong)).status, 'BAD', wrong)
  assert.match((await client.command('GETQUOTAROOT Nowhere')).tagged, /^NO \[NONEXISTENT\]/)
  const stranger = await server.connect()
  for (const command of ['GETQUOTA x', 'GETQUOTAROOT INBOX', 'SETQUOTA x ()'])
    assert.equal((await stranger.command(command)).status, 'BAD')
})
