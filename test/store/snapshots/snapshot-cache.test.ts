import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { AccountCounts } from '../../../src/store/account-counts.ts'
import { dataFolder } from '../../../src/store/bodies/data-folder.ts'
import { flagged } from '../../../src/store/flags.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { SnapshotCache } from '../../../src/store/snapshots/snapshot-cache.ts'
import { openReader } from '../../../src/store/sqlite/open-writer.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from '../fixture.ts'
import { valuesOf } from '../snapshot-values.ts'

/** The snapshots of a thread beside the store, which hears of its changes as `follow` and `counts` are told. */
async function threadBeside(t: TestContext) {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  const connection = openReader(dataFolder(dataDir))
  t.after(async () => {
    connection.close()
    await store.close()
  })
  const account = await addAccount(store)
  const place = { account, mailbox: await mailboxId(store, account, 'INBOX') }
  const messages = Array.from({ length: 4 }, () => mail(store))
  await store.mutate('appendMessages', { ...place, messages })
  const counts = new AccountCounts()
  const cache = new SnapshotCache(connection, undefined, () => counts)
  const look = async () => {
    const { modSeq, flags, modSeqs } = await cache.get(account, place.mailbox)
    return { modSeq, flags: valuesOf(flags, 4), modSeqs: valuesOf(modSeqs, 4) }
  }
  const change = async (uid: number) => {
    const flags = { system: flagged, keywords: [] }
    const stored = await store.mutate('storeFlags', { ...place, uids: [[uid, uid]], mode: 'add', flags })
    counts.add(account)
    return stored
  }
  const follow = (stored: Awaited<ReturnType<typeof change>>) =>
    cache.follow(place, { clears: 0, adds: flagged }, stored)
  return { look, change, follow }
}

test('a change that another came before is looked for, with that one', async t => {
  const { look, change, follow } = await threadBeside(t)
  const before = await look()
  const foreign = await change(1)
  const own = await change(2)
  follow(own)
  assert.deepEqual(await look(), {
    modSeq: own.modSeq,
    flags: [flagged, flagged, 0, 0],
    modSeqs: [foreign.modSeq, own.modSeq, ...before.modSeqs.slice(2)],
  })
})

test('a change is followed, and what another did after it is looked for', async t => {
  const { look, change, follow } = await threadBeside(t)
  const before = await look()
  const own = await change(2)
  const foreign = await change(3)
  follow(own)
  assert.deepEqual(await look(), {
    modSeq: foreign.modSeq,
    flags: [0, flagged, flagged, 0],
    modSeqs: [before.modSeqs[0], own.modSeq, foreign.modSeq, before.modSeqs[3]],
  })
})
