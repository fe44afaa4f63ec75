import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModSeq } from '../../../src/base/ids.ts'
import { limits } from '../../../src/base/limits.ts'
import { checkStore } from '../../../src/store/check.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from '../fixture.ts'

test('the oldest expunges are forgotten when there are too many, and a snapshot says so', async t => {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  const account = await addAccount(store)
  const source = await mailboxId(store, account, 'INBOX')
  const mailbox = await mailboxId(store, account, 'Sent')
  const step = 5000
  await store.mutate('appendMessages', {
    account,
    mailbox: source,
    messages: Array.from({ length: step }, () => mail(store, 'x', { fields: ['Subject: x'] })),
  })
  const before = await store.snapshot(account, mailbox)
  const modSeqs: number[] = []
  const steps = Math.ceil((limits.store.tombstones * 1.25) / step) + 1
  for (let i = 0; i < steps; i++) {
    await store.mutate('copyMessages', { account, mailbox: source, uids: [[1, step]], target: mailbox })
    const { modSeq, uids } = await store.mutate('expungeMessages', { account, mailbox, onlyDeleted: false })
    assert.equal(uids.length, step)
    modSeqs.push(modSeq)
  }
  const after = await store.snapshot(account, mailbox)
  assert.ok(after.tombstoneFloor > before.modSeq)
  assert.ok(modSeqs.includes(after.tombstoneFloor))
  assert.equal((await after.changesAfter(before.modSeq)).isComplete, false)
  const delta = await after.changesAfter(after.tombstoneFloor)
  assert.ok(delta.isComplete)
  // What is kept is whole transactions, at least what the limit asks for but for the last one.
  assert.equal(delta.vanished.length % step, 0)
  assert.ok(delta.vanished.length > limits.store.tombstones - step)
  const last = modSeqs.at(-2) as ModSeq
  assert.equal((await after.changesAfter(last)).vanished.length, step)
  await store.close()
  assert.deepEqual((await checkStore(dataDir)).findings, [])
})
