import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { AccountCounts } from '../../src/store/account-counts.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { ChangeHint } from '../../src/store/store.ts'
import type { ClientMessage, WriterAnswer } from '../../src/store/sqlite/writer-messages.ts'
import { startWriter, type WriterHandle } from '../../src/store/sqlite/start-writer.ts'
import { refuses, storeConformance } from './conformance.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from './fixture.ts'

storeConformance(
  'beside a writer thread',
  async (t, options) => {
    const dataDir = temporaryFolder(t)
    const writer = await startWriter(dataDir, options)
    const store = await openStore({ dataDir, port: writer.connect() }, options)
    t.after(async () => {
      await store.close()
      await writer.close()
    })
    return store
  },
  false,
)

/** Kills the writer's thread as a crash would, by an exception that nobody catches. */
function crash(writer: WriterHandle): Promise<unknown> {
  // A message that the thread cannot understand: its handler throws.
  writer.connect().postMessage({ kind: 'calls', first: 0, calls: undefined })
  return writer.ended
}

test('two threads see each other’s commits, and hear of them', async t => {
  const dataDir = temporaryFolder(t)
  const writer = await startWriter(dataDir)
  const one = await openStore({ dataDir, port: writer.connect() })
  const two = await openStore({ dataDir, port: writer.connect() })
  t.after(() => writer.close())
  const account = await addAccount(one)
  const mailbox = await mailboxId(two, account, 'INBOX')
  // That the account was made (modSeq 0) may be told after this thread has begun to watch it.
  const hinted = new Promise<ChangeHint>(resolve => {
    two.watch(account, hint => {
      if (hint.modSeq > 0) resolve(hint)
    })
  })
  const { modSeq } = await one.mutate('appendMessages', { account, mailbox, messages: [mail(one)] })
  assert.deepEqual(await hinted, { account, modSeq })
  assert.equal((await two.snapshot(account, mailbox)).count, 1)
  await one.close()
  await two.mutate('appendMessages', { account, mailbox, messages: [mail(two)] })
  await two.close()
})

test('a thread is told of the accounts that it watches, and not woken for others', async t => {
  const dataDir = temporaryFolder(t)
  const writer = await startWriter(dataDir)
  const store = await openStore({ dataDir, port: writer.connect() })
  t.after(async () => {
    await store.close()
    await writer.close()
  })
  const one = await addAccount(store)
  const two = await addAccount(store)
  const watched = new AccountCounts()
  watched.add(two)
  const port = writer.connect()
  t.after(() => port.close())
  const hints: ChangeHint[] = []
  const greeted = Promise.withResolvers<void>()
  const hinted = Promise.withResolvers<void>()
  port.on('message', (message: WriterAnswer) => {
    if (message.kind === 'hello') return
    greeted.resolve()
    hints.push(...message.hints)
    if (message.hints.length > 0) hinted.resolve()
  })
  port.postMessage({ kind: 'hello', watched: watched.buffer, gatherHintsMs: 0 } satisfies ClientMessage)
  // Answered once the greeting was read: what comes on other ports is not in order with this one.
  port.postMessage({ kind: 'calls', first: 0, calls: [['maintain', undefined]] } satisfies ClientMessage)
  await greeted.promise
  for (const account of [one, two]) await store.mutate('createMailbox', { account, name: 'a' })
  await hinted.promise
  assert.deepEqual(
    hints.map(({ account }) => account),
    [two],
  )
})

test('a snapshot taken under one writer is not mistaken for that of the next', async t => {
  const dataDir = temporaryFolder(t)
  const first = await startWriter(dataDir)
  const store = await openStore({ dataDir, port: first.connect() })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
  assert.equal((await store.snapshot(account, mailbox)).count, 1)
  await crash(first)
  const second = await startWriter(dataDir, { isRestart: true })
  t.after(() => second.close())
  store.connect(second.connect())
  for (let count = 2; count < 8; count++) {
    await store.mutate('appendMessages', { account, mailbox, messages: [mail(store, `mail ${count}`)] })
    assert.equal((await store.snapshot(account, mailbox)).count, count)
  }
  await store.close()
})

test('when the writer dies what was under way fails as unavailable, reads go on, and a new writer takes over', async t => {
  const dataDir = temporaryFolder(t)
  const first = await startWriter(dataDir)
  const store = await openStore({ dataDir, port: first.connect() })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const kept = mail(store, 'kept')
  await store.mutate('appendMessages', { account, mailbox, messages: [kept] })
  const staged = store.stageBody()
  const large = Buffer.alloc(limits.store.inlineBodyBytes * 2, 'x')
  await staged.write(large)
  const body = await staged.finish()

  assert.match(String(await crash(first)), /TypeError/)
  await assert.rejects(store.mutate('createMailbox', { account, name: 'x' }), refuses('unavailable'))
  assert.equal((await store.snapshot(account, mailbox)).count, 1)
  assert.ok((await store.readBody(account, kept.body.hash)).length > 0)

  const second = await startWriter(dataDir, { isRestart: true })
  store.connect(second.connect())
  const messages = [{ ...kept, body }]
  const { uids } = await store.mutate('appendMessages', { account, mailbox, messages })
  assert.deepEqual(uids, [2])
  assert.ok((await store.readBody(account, body.hash)).equals(large))
  staged.discard()
  await store.close()
  await second.close()
  assert.equal(await second.ended, undefined)
})

test('a second process or thread that wants to write the same folder is told who has it', async t => {
  const dataDir = temporaryFolder(t)
  const writer = await startWriter(dataDir)
  for (const open of [() => startWriter(dataDir), () => openStore({ dataDir })]) {
    await assert.rejects(open(), error => {
      assert.ok(refuses('unavailable')(error))
      assert.match(String(error), new RegExp(`in use by process ${process.pid}`))
      return true
    })
  }
  await writer.close()
  const store = await openStore({ dataDir })
  await store.close()
})

test('an argument that cannot cross threads fails its own mutation only', async t => {
  const dataDir = temporaryFolder(t)
  const writer = await startWriter(dataDir)
  const store = await openStore({ dataDir, port: writer.connect() })
  const account = await addAccount(store)
  const bad = store.mutate('createMailbox', { account, name: (() => 'x') as unknown as string })
  const good = store.mutate('createMailbox', { account, name: 'y' })
  await assert.rejects(bad, /could not be cloned/)
  assert.ok((await good).mailbox)
  await store.close()
  await writer.close()
})
