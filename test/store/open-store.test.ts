import assert from 'node:assert/strict'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { backUpStore } from '../../src/store/backup.ts'
import { openStore } from '../../src/store/open-store.ts'
import { refuses } from './conformance.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from './fixture.ts'

test('a store that a newer program wrote is refused, and says so', async t => {
  const dataDir = temporaryFolder(t)
  await (await openStore({ dataDir })).close()
  const database = new DatabaseSync(join(dataDir, 'store.db'))
  database.exec('INSERT INTO schema_version (version, applied_at) VALUES (99, 0)')
  database.close()
  await assert.rejects(openStore({ dataDir }), error => {
    assert.ok(refuses('unavailable')(error))
    assert.match(String(error), /newer Restante \(schema 99/)
    return true
  })
})

test('a file that is not a database is refused as corrupt', async t => {
  const dataDir = temporaryFolder(t)
  await (await openStore({ dataDir })).close()
  writeFileSync(join(dataDir, 'store.db'), 'this is not a database, whatever its name says. '.repeat(100))
  await assert.rejects(openStore({ dataDir }), refuses('corrupt'))
})

test('another process that has the store is named, and its end frees the store', async t => {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.close()
  const child = spawn(process.execPath, [
    join(import.meta.dirname, 'appending-child.ts'),
    dataDir,
    String(account),
    String(mailbox),
    'lock',
  ])
  const ended = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), ended])
  // What nobody reads would keep the child's end from being told.
  child.stdout.resume()
  await assert.rejects(openStore({ dataDir }), error => {
    assert.match(String(error), new RegExp(`in use by process ${child.pid}`))
    return refuses('unavailable')(error)
  })
  // Reading beside it is fine.
  const backup = `${dataDir}-backup`
  t.after(() => rmSync(backup, { recursive: true, force: true }))
  await backUpStore(dataDir, backup)
  child.kill('SIGKILL')
  await ended
  const again = await openStore({ dataDir })
  await again.close()
})

test('after a crash no modSeq that a client may have seen is given again', async t => {
  const dataDir = temporaryFolder(t)
  const first = await openStore({ dataDir })
  const account = await addAccount(first)
  const mailbox = await mailboxId(first, account, 'INBOX')
  await first.mutate('appendMessages', { account, mailbox, messages: [mail(first)] })
  const change = {
    account,
    mailbox,
    uids: [[1, 1]],
    mode: 'add',
    flags: { system: 1, keywords: [] },
  } as const
  const { modSeq } = await first.mutate('storeFlags', change)
  await first.close()
  const clean = await openStore({ dataDir })
  const next = await clean.mutate('storeFlags', { ...change, mode: 'remove' })
  assert.equal(next.modSeq, modSeq + 1)
  await clean.close()
  // As a power cut leaves it: what was not synced is undone.
  const database = new DatabaseSync(join(dataDir, 'store.db'))
  database.exec(`UPDATE counter SET value = 0 WHERE name = 'closed'; UPDATE account SET mod_seq = ${modSeq}`)
  database.close()
  const after = await openStore({ dataDir })
  assert.ok((await after.mutate('storeFlags', change)).modSeq > next.modSeq)
  await after.close()
})

test('fifty stores live in one process', async t => {
  const stores = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      openStore(i % 2 === 0 ? { memory: true } : { dataDir: temporaryFolder(t) }),
    ),
  )
  await Promise.all(
    stores.map(async store => {
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      assert.equal((await store.snapshot(account, mailbox)).count, 1)
    }),
  )
  await Promise.all(stores.map(store => store.close()))
})

test('the write-ahead log is moved into the database when it passes its bound', async t => {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  // Bodies are not in the database: many rows are needed.
  const messages = Array.from({ length: 500 }, (_, i) =>
    mail(store, `${i}`, { fields: [`Subject: ${'x'.repeat(2000)} ${i}`] }),
  )
  for (let i = 0; i < 12; i++) await store.mutate('appendMessages', { account, mailbox, messages })
  const walBytes = statSync(join(dataDir, 'store.db-wal')).size
  assert.ok(walBytes < 40 * 1024 * 1024, `${walBytes}`)
  assert.ok(statSync(join(dataDir, 'store.db')).size > 1024 * 1024)
  await store.close()
})
