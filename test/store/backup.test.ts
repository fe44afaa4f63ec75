import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { backUpStore, restoreStore } from '../../src/store/backup.ts'
import { checkStore } from '../../src/store/check.ts'
import { noFlags } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open-store.ts'
import { findMailbox } from '../../src/store/read/mailboxes.ts'
import { refuses } from './conformance.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from './fixture.ts'

test('a store in use is backed up, again with only what is new, and restored with new UIDVALIDITYs', async t => {
  const root = temporaryFolder(t)
  const dataDir = join(root, 'data')
  const store = await openStore({ dataDir })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const first = mail(store, 'first '.repeat(1000))
  const { uidValidity } = await store.mutate('appendMessages', { account, mailbox, messages: [first] })
  const backup = join(root, 'backup')
  const one = await backUpStore(dataDir, backup)
  assert.equal(one.segments, 1)

  const staged = store.stageBody()
  await staged.write(Buffer.alloc(limits.store.ownSegmentBytes + 1, 'x'))
  const large = {
    body: await staged.finish(),
    email: { ...mail(store).email, sizeBytes: staged.sizeBytes },
    flags: noFlags,
  }
  const second = mail(store, 'second')
  await store.mutate('appendMessages', { account, mailbox, messages: [second] })
  // Mail goes on while the backup is made.
  let isRunning = true
  const traffic = (async () => {
    while (isRunning) await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
  })()
  const two = await backUpStore(dataDir, backup)
  isRunning = false
  await traffic
  assert.ok(two.copiedBytes < one.copiedBytes)
  assert.deepEqual((await checkStore(backup)).findings, [])
  assert.ok((await checkStore(backup)).messages >= 2)
  await store.mutate('appendMessages', { account, mailbox, messages: [large] })
  staged.discard()
  const three = await backUpStore(dataDir, backup)
  assert.ok(three.copiedBytes > limits.store.ownSegmentBytes)
  await store.close()

  const restored = join(root, 'restored')
  await restoreStore(backup, restored)
  assert.deepEqual((await checkStore(restored)).findings, [])
  const again = await openStore({ dataDir: restored })
  assert.ok((await again.readBody(account, large.body.hash)).length > limits.store.ownSegmentBytes)
  const inbox = await findMailbox(again.reader, account, 'INBOX')
  assert.ok(inbox && inbox.uidValidity > uidValidity)
  await again.mutate('appendMessages', { account, mailbox, messages: [mail(again)] })
  // It is another store from now on.
  await assert.rejects(backUpStore(restored, backup), refuses('exists'))
  await again.close()
  assert.deepEqual((await checkStore(restored)).findings, [])

  const exact = join(root, 'exact')
  await restoreStore(backup, exact, { keepsUidValidity: true })
  const moved = await openStore({ dataDir: exact })
  assert.equal((await findMailbox(moved.reader, account, 'INBOX'))?.uidValidity, uidValidity)
  await moved.close()
})

test('a store with smaller pages is used as it is, and gets those of today by a backup', async t => {
  const root = temporaryFolder(t)
  const dataDir = join(root, 'data')
  mkdirSync(dataDir)
  const old = new DatabaseSync(join(dataDir, 'store.db'))
  old.exec('PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; CREATE TABLE older (id INTEGER)')
  old.close()
  const store = await openStore({ dataDir })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
  const backup = join(root, 'backup')
  await backUpStore(dataDir, backup)
  await store.close()
  const restored = join(root, 'restored')
  await restoreStore(backup, restored)
  await (await openStore({ dataDir: join(root, 'new') })).close()
  assert.equal(pageBytesOf(dataDir), 4096)
  assert.equal(pageBytesOf(join(root, 'new')), limits.store.pageBytes)
  for (const copy of [backup, restored]) {
    assert.equal(pageBytesOf(copy), limits.store.pageBytes)
    assert.deepEqual((await checkStore(copy)).findings, [])
  }
})

function pageBytesOf(dataDir: string): number {
  const database = new DatabaseSync(join(dataDir, 'store.db'), { readOnly: true })
  try {
    return (database.prepare('PRAGMA page_size').get() as { page_size: number }).page_size
  } finally {
    database.close()
  }
}

test('a backup without what compaction removed is as small as the store', async t => {
  const root = temporaryFolder(t)
  const dataDir = join(root, 'data')
  const clock = { ms: 1_000_000, now: () => clock.ms }
  const store = await openStore({ dataDir }, { clock })
  t.after(() => store.close())
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const staged = store.stageBody()
  await staged.write(Buffer.alloc(limits.store.ownSegmentBytes + 1, 'x'))
  const large = {
    body: await staged.finish(),
    email: { ...mail(store).email, sizeBytes: staged.sizeBytes },
    flags: noFlags,
  }
  await store.mutate('appendMessages', { account, mailbox, messages: [large, mail(store)] })
  const backup = join(root, 'backup')
  await backUpStore(dataDir, backup)
  await store.mutate('expungeMessages', { account, mailbox, uids: [[1, 1]], onlyDeleted: false })
  clock.ms += limits.store.orphanGraceMs
  await store.maintain()
  await backUpStore(dataDir, backup)
  assert.equal(readdirSync(join(backup, 'segments')).length, 1)
  assert.deepEqual((await checkStore(backup)).findings, [])
})

test('neither a backup nor a restore writes over something else', async t => {
  const root = temporaryFolder(t)
  const one = join(root, 'one')
  const two = join(root, 'two')
  for (const dataDir of [one, two]) await (await openStore({ dataDir })).close()
  await assert.rejects(backUpStore(one, two), refuses('exists'))
  writeFileSync(join(root, 'file'), 'x')
  await assert.rejects(backUpStore(one, root), refuses('exists'))
  const backup = join(root, 'backup')
  await backUpStore(one, backup)
  await assert.rejects(backUpStore(two, backup), refuses('exists'))
  await assert.rejects(restoreStore(backup, two), refuses('exists'))
  await assert.rejects(restoreStore(join(root, 'none'), join(root, 'x')), refuses('not-found'))
  await assert.rejects(backUpStore(join(root, 'none'), join(root, 'y')), refuses('not-found'))
  assert.ok(statSync(join(backup, 'store.db')).size > 0)
})
