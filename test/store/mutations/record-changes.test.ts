import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { limits } from '../../../src/base/limits.ts'
import { checkStore } from '../../../src/store/check.ts'
import { flagged, seen } from '../../../src/store/flags.ts'
import { openStore } from '../../../src/store/open-store.ts'
import type { MutationArgs } from '../../../src/store/mutations.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from '../fixture.ts'
import { valuesOf } from '../snapshot-values.ts'

async function mailboxOf(t: TestContext, count: number) {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  t.after(() => store.close())
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const messages = Array.from({ length: count }, (_, at) => mail(store, `mail ${at}`))
  await store.mutate('appendMessages', { account, mailbox, messages })
  const change = (
    uids: MutationArgs<'storeFlags'>['uids'],
    mode: 'add' | 'remove' = 'add',
    system: number = flagged,
  ) => store.mutate('storeFlags', { account, mailbox, uids, mode, flags: { system, keywords: [] } })
  const ranges = () =>
    store.reader.all<{ first_uid: number; last_uid: number }>(
      'SELECT first_uid, last_uid FROM message_change WHERE account = ? AND mailbox = ? ORDER BY mod_seq, first_uid',
      account,
      mailbox,
    )
  return { dataDir, store, account, mailbox, change, ranges }
}

test('one STORE of neighbours is one range, of distant messages one each, and new messages are none', async t => {
  const { change, ranges } = await mailboxOf(t, 40)
  await change([[1, 40]])
  await change(
    [
      [2, 2],
      [30, 31],
    ],
    'remove',
  )
  assert.deepEqual(
    (await ranges()).map(row => [row.first_uid, row.last_uid]),
    [
      [1, 40],
      [2, 2],
      [30, 31],
    ],
  )
})

test('what lies in a range and was not changed is not told as changed', async t => {
  const { store, account, mailbox, change } = await mailboxOf(t, 10)
  await change([[2, 2]])
  const before = await store.snapshot(account, mailbox)
  const { modSeq, changed } = await change([[1, 3]])
  assert.deepEqual(changed, [
    [1, 1],
    [3, 3],
  ])
  const after = await store.snapshot(account, mailbox)
  const delta = after.changesAfter(before.modSeq)
  const told = (await delta).changed.map(position => after.uids.at(position))
  assert.deepEqual(told, [1, 3])
  assert.notEqual(after.modSeqs.at(1), modSeq)
})

test('a message that changes again is told once, with what it is now', async t => {
  const { store, account, mailbox, change } = await mailboxOf(t, 5)
  const before = await store.snapshot(account, mailbox)
  await change([[1, 5]])
  await change([[3, 3]], 'add', seen)
  await store.mutate('appendMessages', { account, mailbox, messages: [mail(store, 'new')] })
  const { modSeq } = await change([[6, 6]])
  const after = await store.snapshot(account, mailbox)
  assert.equal(after.count, 6)
  assert.deepEqual(valuesOf(after.flags, 6), [flagged, flagged, flagged | seen, flagged, flagged, flagged])
  assert.equal(after.modSeqs.at(5), modSeq)
  const delta = await after.changesAfter(before.modSeq)
  assert.deepEqual(delta.changed, [0, 1, 2, 3, 4, 5])
})

test('of the changes the last ones are remembered, and a snapshot from before is still brought up to date', async t => {
  const { dataDir, store, account, mailbox, change, ranges } = await mailboxOf(t, 500)
  for (let copies = 0; copies < 4; copies++)
    await store.mutate('copyMessages', { account, mailbox, uids: [[1, 500 * 2 ** copies]], target: mailbox })
  const { count } = await store.snapshot(account, mailbox)
  const sparse = Array.from({ length: count / 10 }, (_, at) => [at * 10 + 1, at * 10 + 1] as const)
  const steps = Math.ceil((limits.store.changes * 1.25) / sparse.length) + 1
  for (let step = 0; step < steps; step++) await change(sparse, step % 2 === 0 ? 'add' : 'remove')
  const kept = (await ranges()).length
  assert.ok(kept <= limits.store.changes * 1.25 && kept >= limits.store.changes - sparse.length, `${kept}`)
  const after = await store.snapshot(account, mailbox)
  const rows = await store.reader.arrays<[flags: number, modSeq: number]>(
    'SELECT flags, mod_seq FROM message WHERE account = ? AND mailbox = ? ORDER BY uid',
    account,
    mailbox,
  )
  assert.deepEqual(
    rows.map((_, at) => [after.flags.at(at), after.modSeqs.at(at)]),
    rows,
  )
  await store.close()
  assert.deepEqual((await checkStore(dataDir)).findings, [])
})

test('a store from before changes were remembered is brought up to date from its packed snapshots', async t => {
  const { dataDir, store, account, mailbox, change } = await mailboxOf(t, 3)
  await change([[2, 2]])
  const before = await store.snapshot(account, mailbox)
  await store.close()
  const database = new DatabaseSync(join(dataDir, 'store.db'))
  // As the step of the schema leaves it.
  database.exec('DELETE FROM message_change; UPDATE mailbox SET changes = 0, change_floor = mod_seq')
  database.close()
  const again = await openStore({ dataDir })
  t.after(() => again.close())
  const { modSeq } = await again.mutate('storeFlags', {
    account,
    mailbox,
    uids: [[1, 1]],
    mode: 'add',
    flags: { system: seen, keywords: [] },
  })
  const after = await again.snapshot(account, mailbox)
  assert.deepEqual(valuesOf(after.flags, 3), [seen, flagged, 0])
  assert.equal(after.modSeqs.at(0), modSeq)
  assert.equal(after.modSeqs.at(1), before.modSeq)
})
