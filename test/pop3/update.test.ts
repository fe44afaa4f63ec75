// DELE, RSET, QUIT and what the configuration adds. RFC 1939 §5, §6, §8; RFC 2449 §6.7.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreError } from '../../src/store/error.ts'
import { seen } from '../../src/store/flags.ts'
import { letter, startServer, type TestServer } from './client.ts'
import { valuesOf } from '../store/snapshot-values.ts'

async function inboxOf(server: TestServer): Promise<{ uids: number[]; seen: number[] }> {
  const snapshot = await server.store.snapshot(server.account, await server.inbox())
  const uids = valuesOf(snapshot.uids, snapshot.count)
  return { uids, seen: uids.filter((_, i) => (snapshot.flags.at(i) & seen) !== 0) }
}

const three = [letter('one'), letter('two'), letter('three')] as const

test('DELE takes effect at QUIT and not before', async t => {
  const server = await startServer(t)
  await server.deliver(...three)
  const client = await server.logIn()
  await client.command('DELE 1')
  await client.command('DELE 3')
  assert.deepEqual((await inboxOf(server)).uids, [1, 2, 3])
  assert.equal(await client.command('QUIT'), '+OK POP3 server signing off (1 message left)')
  assert.deepEqual((await inboxOf(server)).uids, [2])
})

test('QUIT removes thousands of messages that do not lie side by side, in steps', async t => {
  const server = await startServer(t)
  await server.deliver(...Array.from({ length: 2400 }, (_, i) => letter(String(i), 1)))
  const client = await server.logIn()
  const mutations = t.mock.method(server.store, 'mutate')
  const deletes = Array.from({ length: 1200 }, (_, i) => `DELE ${2 * i + 1}\r\n`)
  client.send(deletes.join(''))
  for (const _ of deletes) assert.match(await client.line(), /^\+OK/)
  assert.equal(await client.command('QUIT'), '+OK POP3 server signing off (1200 messages left)')
  assert.equal(mutations.mock.callCount(), 3)
  const { uids } = await inboxOf(server)
  assert.ok(uids.length === 1200 && uids.every(uid => uid % 2 === 0))
})

test('RSET takes all marks back', async t => {
  const server = await startServer(t)
  await server.deliver(...three)
  const client = await server.logIn()
  await client.command('DELE 1')
  await client.command('DELE 2')
  const bytes = three.join('').length
  assert.equal(await client.command('RSET'), `+OK maildrop has 3 messages (${bytes} octets)`)
  assert.equal(await client.command('STAT'), `+OK 3 ${bytes}`)
  assert.equal(await client.command('DELE 1'), '+OK message 1 deleted')
  await client.command('RSET')
  await client.command('QUIT')
  assert.deepEqual((await inboxOf(server)).uids, [1, 2, 3])
})

test('a connection that ends without QUIT removes nothing and marks nothing (RFC 1939 §6)', async t => {
  const server = await startServer(t, { pop3: { deleteAfterRetrieval: true } })
  await server.deliver(...three)
  const client = await server.logIn()
  await client.message('RETR 1')
  await client.command('DELE 2')
  client.send('QUIT')
  client.socket.end()
  await client.closed()
  assert.deepEqual(await inboxOf(server), { uids: [1, 2, 3], seen: [] })
})

test('a retrieved message is \\Seen after QUIT, one whose top was read is not', async t => {
  const server = await startServer(t)
  await server.deliver(...three)
  const client = await server.logIn()
  await client.message('RETR 1')
  await client.message('TOP 2 1')
  await client.message('RETR 3')
  await client.command('DELE 3')
  assert.deepEqual((await inboxOf(server)).seen, [])
  await client.command('QUIT')
  assert.deepEqual(await inboxOf(server), { uids: [1, 2], seen: [1] })
})

test('markSeen off leaves the flags alone', async t => {
  const server = await startServer(t, { pop3: { markSeen: false } })
  await server.deliver(...three)
  const client = await server.logIn()
  await client.message('RETR 1')
  await client.command('QUIT')
  assert.deepEqual((await inboxOf(server)).seen, [])
})

test('deleteAfterRetrieval removes what RETR gave, and announces EXPIRE 0 (RFC 1939 §8)', async t => {
  const server = await startServer(t, { pop3: { deleteAfterRetrieval: true } })
  await server.deliver(...three)
  const client = await server.logIn()
  assert.ok((await client.listing('CAPA')).lines.includes('EXPIRE 0'))
  await client.message('RETR 2')
  await client.message('TOP 3 100')
  await client.command('QUIT')
  assert.deepEqual((await inboxOf(server)).uids, [1, 3])
})

test('expireDays removes read messages of that age at QUIT, and announces it', async t => {
  const server = await startServer(t, { pop3: { expireDays: 30 } })
  await server.deliver(...three)
  const { account, store } = server
  await store.mutate('storeFlags', {
    account,
    mailbox: await server.inbox(),
    uids: [[1, 2]],
    mode: 'add',
    flags: { system: seen, keywords: [] },
  })
  const young = await server.logIn()
  assert.ok((await young.listing('CAPA')).lines.includes('EXPIRE 30'))
  await young.command('QUIT')
  assert.deepEqual((await inboxOf(server)).uids, [1, 2, 3])
  server.clock.advance(30 * 86_400_000)
  const old = await server.logIn()
  await old.command('QUIT')
  assert.deepEqual((await inboxOf(server)).uids, [3])
})

test('QUIT says so when messages could not be removed', async t => {
  const server = await startServer(t)
  await server.deliver(...three)
  const client = await server.logIn()
  await client.command('DELE 1')
  t.mock.method(server.store, 'mutate', () => Promise.reject(new StoreError('disk-full', 'no room')))
  assert.equal(await client.command('QUIT'), '-ERR [SYS/TEMP] some deleted messages not removed')
  assert.ok(await client.closed())
})

test('IMAP goes on while a POP3 session is open: it flags, expunges and appends (RFC 1939 §8)', async t => {
  const server = await startServer(t)
  await server.deliver(...three)
  const client = await server.logIn()
  await client.command('DELE 2')
  const { account, store } = server
  const mailbox = await server.inbox()
  await store.mutate('expungeMessages', { account, mailbox, uids: [[1, 2]], onlyDeleted: false })
  await server.deliver(letter('four'))
  assert.deepEqual((await inboxOf(server)).uids, [3, 4])
  assert.match(await client.command('QUIT'), /^\+OK/)
  assert.deepEqual((await inboxOf(server)).uids, [3, 4])
})

test('another mailbox can be the inbox; one that is not there is told so', async t => {
  const server = await startServer(t, { pop3: { mailbox: 'Archive' } })
  await server.deliver(letter('in the INBOX'))
  assert.equal(await (await server.logIn()).command('STAT'), '+OK 0 0')
  const none = await startServer(t, { pop3: { mailbox: 'Nowhere' } })
  const client = await none.connect()
  await client.command('USER ann')
  assert.equal(await client.command('PASS correct horse'), '-ERR [SYS/PERM] the account has no such mailbox')
  await client.command('USER ann')
  assert.match(
    await client.command('PASS correct horse'),
    /^-ERR \[SYS\/PERM\]/,
    'and the lock is free again',
  )
})
