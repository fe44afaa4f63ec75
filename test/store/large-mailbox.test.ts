// A large mailbox is read bit by bit, while others change it. Here every mailbox counts as one, in a process of its own.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ModSeq } from '../../src/base/ids.ts'
import { limits } from '../../src/base/limits.ts'
import { dataFolder } from '../../src/store/bodies/data-folder.ts'
import { checkStore } from '../../src/store/check.ts'
import { seen } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { MailboxSnapshot } from '../../src/store/mailbox-snapshot.ts'
import { SnapshotCache } from '../../src/store/snapshots/snapshot-cache.ts'
import { openReader } from '../../src/store/sqlite/open-writer.ts'
import type { Store } from '../../src/store/store.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from './fixture.ts'
import { History } from './model-history.ts'
import { valuesOf } from './snapshot-values.ts'

type Writable<T> = { -readonly [Key in keyof T]: number }

const store: Writable<typeof limits.store> = limits.store
store.readAtOnce = 0
store.rowsAtOnce = 3
store.chunksAtOnce = 1
store.masksMs = 0

const messages = 3000

/** A mailbox of `messages`, whose packed form `isPacked`; opened anew, so that nobody knows anything of it. */
async function openCold(t: TestContext, isPacked: boolean) {
  const dataDir = temporaryFolder(t)
  const first = await openStore({ dataDir })
  const account = await addAccount(first)
  const mailbox = await mailboxId(first, account, 'INBOX')
  const added = Array.from({ length: messages }, (_, number) => mail(first, `message ${number}`))
  await first.mutate('appendMessages', { account, mailbox, messages: added })
  if (isPacked) await first.snapshot(account, mailbox)
  await first.close()
  const cold = await openStore({ dataDir })
  t.after(() => cold.close())
  return { cold, dataDir, account, mailbox }
}

/** The messages of a snapshot, each with all that is known of it. */
function messagesOf(snapshot: MailboxSnapshot): readonly (readonly number[])[] {
  const { count, uids, flags, modSeqs, sizes, receivedAts, savedAts, emails } = snapshot
  const columns = [uids, flags, modSeqs, sizes, receivedAts, savedAts, emails].map(column =>
    valuesOf(column, count),
  )
  return Array.from({ length: count }, (_, at) => columns.map(column => column[at] as number))
}

/** What the rows say, as a snapshot says it. */
async function assertLikeRows(reader: Store['reader'], snapshot: MailboxSnapshot): Promise<void> {
  const rows = await reader.arrays<readonly number[]>(
    'SELECT uid, flags, mod_seq, size_bytes, received_at, saved_at, email FROM message WHERE account = ? AND mailbox = ? ORDER BY uid',
    snapshot.account,
    snapshot.mailbox,
  )
  assert.deepEqual(
    messagesOf(snapshot),
    rows.map(row => [...row]),
  )
  const flags = rows.map(row => row[1] as number)
  assert.equal(
    snapshot.firstUnseen,
    flags.findIndex(value => (value & seen) === 0),
  )
  assert.deepEqual(snapshot.keywords, [...new Set(flags.flatMap(value => snapshot.keywordsOf(value)))].sort())
}

for (const isPacked of [false, true]) {
  const how = isPacked ? 'its packed form' : 'its rows'
  test(`a mailbox that changes while it is read from ${how} is what it has become, and tells what changed since`, async t => {
    const { cold, account, mailbox } = await openCold(t, isPacked)
    // Something has changed since it was packed.
    await cold.mutate('storeFlags', {
      account,
      mailbox,
      uids: [[2, 2]],
      mode: 'add',
      flags: { system: 2, keywords: [] },
    })
    const row = await cold.reader.get<{ mod_seq: ModSeq }>(
      'SELECT mod_seq FROM mailbox WHERE id = ?',
      mailbox,
    )
    const before = row?.mod_seq ?? (0 as ModSeq)
    const readings = Array.from({ length: 4 }, () => Promise.resolve(cold.snapshot(account, mailbox)))
    await cold.mutate('storeFlags', {
      account,
      mailbox,
      uids: [[messages - 10, messages]],
      mode: 'add',
      flags: { system: 1, keywords: ['late'] },
    })
    await cold.mutate('expungeMessages', {
      account,
      mailbox,
      uids: [
        [1, 1],
        [messages - 1, messages - 1],
      ],
      onlyDeleted: false,
    })
    await cold.mutate('appendMessages', { account, mailbox, messages: [mail(cold, 'last')] })
    for (const reading of readings) await reading
    const snapshot = await cold.snapshot(account, mailbox)
    await assertLikeRows(cold.reader, snapshot)
    const delta = await snapshot.changesAfter(before)
    assert.deepEqual(
      delta.vanished.map(({ uid }) => uid),
      [1, messages - 1],
    )
    assert.deepEqual(
      delta.changed.map(position => snapshot.uids.at(position)),
      [...Array.from({ length: 9 }, (_, at) => messages - 10 + at), messages, messages + 1],
    )
  })
}

test('what goes while a mailbox is read, before its row is, is told as gone (RFC 7162 §3.2.5)', async t => {
  const { cold, account, mailbox } = await openCold(t, false)
  const place = { account, mailbox }
  const row = await cold.reader.get<{ mod_seq: ModSeq }>('SELECT mod_seq FROM mailbox WHERE id = ?', mailbox)
  const reading = Promise.resolve(cold.snapshot(account, mailbox))
  await cold.mutate('expungeMessages', { ...place, uids: [[messages - 1, messages - 1]], onlyDeleted: false })
  await reading
  const snapshot = await cold.snapshot(account, mailbox)
  await assertLikeRows(cold.reader, snapshot)
  const { isComplete, vanished } = await snapshot.changesAfter(row?.mod_seq ?? (0 as ModSeq))
  assert.deepEqual([isComplete, vanished.map(({ uid }) => uid)], [true, [messages - 1]])
})

test('what comes while a mailbox is read is there, beside flags that are changed', async t => {
  const { cold, account, mailbox } = await openCold(t, false)
  const place = { account, mailbox }
  const reading = Promise.resolve(cold.snapshot(account, mailbox))
  const flags = { system: 2, keywords: [] }
  await cold.mutate('storeFlags', { ...place, uids: [[1, messages]], mode: 'add', flags })
  await cold.mutate('appendMessages', { ...place, messages: [mail(cold, 'last')] })
  await assertLikeRows(cold.reader, (await reading) as MailboxSnapshot)
})

/** UIDs from `first` on, `step` apart, as ranges. */
function every(step: number, first: number, last: number): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = []
  for (let uid = first; uid <= last; uid += step) ranges.push([uid, uid])
  return ranges
}

for (const [what, change] of Object.entries({
  'many that go by several commands': [
    ['go', every(3, 1, messages)],
    ['go', every(7, 2, messages)],
    ['go', [[messages - 5, messages]]],
  ],
  'many that go and many that come': [
    ['go', [[100, 600]]],
    ['come', 200],
    ['go', [[messages + 50, messages + 99]]],
  ],
  'many that come where there is room': [['come', 100]],
  'many that come and go again': [
    ['come', 300],
    ['go', [[messages + 1, messages + 300]]],
  ],
} as const)) {
  test(`nobody sees ${what} before all of it is there, whatever is said in between`, async t => {
    const { cold, account, mailbox } = await openCold(t, false)
    const place = { account, mailbox }
    const expunge = (uids: readonly (readonly [number, number])[]) =>
      cold.mutate('expungeMessages', { ...place, uids, onlyDeleted: false })
    const append = (count: number) =>
      cold.mutate('appendMessages', {
        ...place,
        messages: Array.from({ length: count }, (_, at) => mail(cold, `another ${at}`)),
      })
    const flag = (first: number, last: number) =>
      cold.mutate('storeFlags', {
        ...place,
        uids: [[first, last]],
        mode: 'add',
        flags: { system: 2, keywords: [] },
      })
    const before = await cold.snapshot(account, mailbox)
    const known = messagesOf(before)
    const states = new Map([[before.modSeq, known]])
    for (const [kind, args] of change) await (kind === 'go' ? expunge(args) : append(args))
    let isDone = false
    const following = Promise.resolve(cold.snapshot(account, mailbox)).finally(() => (isDone = true))
    const others = (async () => {
      await flag(3, 40)
      await expunge([[5, 5]])
      await append(1)
      await flag(messages - 40, messages + 3)
      await expunge(every(2, 1000, 1100))
      await append(5)
    })()
    let looks = 0
    while (!isDone) {
      const seen = await cold.snapshot(account, mailbox, before.modSeq)
      const now = messagesOf(seen)
      const said = states.get(seen.modSeq)
      if (said)
        assert.deepEqual(
          now.map(([uid]) => uid),
          said.map(([uid]) => uid),
        )
      states.set(seen.modSeq, now)
      looks++
      await new Promise(setImmediate)
    }
    assert.ok(looks > 10, `${looks} turns`)
    await following
    await others
    const after = await cold.snapshot(account, mailbox)
    await assertLikeRows(cold.reader, after)
    assert.deepEqual(
      messagesOf(before).map(([uid]) => uid),
      known.map(([uid]) => uid),
    )
    const delta = await after.changesAfter(before.modSeq)
    assert.ok(delta.isComplete)
    const left = new Set(valuesOf(after.uids, after.count))
    assert.deepEqual(
      delta.vanished.map(({ uid }) => uid as number).filter(uid => uid <= messages),
      known.map(([uid]) => uid as number).filter(uid => !left.has(uid)),
    )
    assert.deepEqual(
      delta.changed,
      messagesOf(after).flatMap(([, , modSeq], at) => ((modSeq as number) > before.modSeq ? [at] : [])),
    )
  })
}

for (const isPacked of [false, true]) {
  test(`flags of many are changed bit by bit in a mailbox known by ${isPacked ? 'its packed form' : 'its rows'}, while others look`, async t => {
    const { cold, account, mailbox } = await openCold(t, isPacked)
    const place = { account, mailbox }
    const before = await cold.snapshot(account, mailbox)
    const store = (first: number, last: number, mode: 'add' | 'remove', system: number) =>
      cold.mutate('storeFlags', { ...place, uids: [[first, last]], mode, flags: { system, keywords: [] } })
    await store(1, messages, 'add', 6)
    await store(20, messages - 20, 'remove', 2)
    let isDone = false
    const following = Promise.resolve(cold.snapshot(account, mailbox)).finally(() => (isDone = true))
    // What comes meanwhile is told as well.
    const another = store(30, 2000, 'add', 8)
    let looks = 0
    while (!isDone) {
      const seen = await cold.snapshot(account, mailbox, before.modSeq)
      assert.deepEqual(valuesOf(seen.uids, seen.count), valuesOf(before.uids, before.count))
      looks++
      await new Promise(setImmediate)
    }
    assert.ok(looks >= 4, `${looks} turns`)
    await following
    await another
    const after = await cold.snapshot(account, mailbox)
    await assertLikeRows(cold.reader, after)
    const all = Array.from({ length: messages }, (_, at) => at)
    assert.deepEqual(await after.changesAfter(before.modSeq), {
      modSeq: after.modSeq,
      isComplete: true,
      vanished: [],
      changed: all,
    })
    assert.deepEqual(after.changedAfter((after.modSeq - 1) as ModSeq), all.slice(29, 2000))
  })
}

test('no statement reads more rows than a thread may read at once, of messages that go and that come', async t => {
  const { cold, dataDir, account, mailbox } = await openCold(t, false)
  const connection = openReader(dataFolder(dataDir))
  t.after(() => connection.close())
  let most = 0
  const observed = new Proxy(connection, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const result = Reflect.apply(value, target, args) as unknown
        if (name === 'arrays') most = Math.max(most, (result as unknown[]).length)
        return result
      }
    },
  })
  const cache = new SnapshotCache(observed)
  await assertLikeRows(cold.reader, await cache.get(account, mailbox))
  const added = Array.from({ length: 500 }, (_, at) => mail(cold, `another ${at}`))
  for (const uids of [every(3, 1, messages), [[messages + 100, messages + 150]] as const]) {
    await cold.mutate('appendMessages', { account, mailbox, messages: added })
    await cold.mutate('expungeMessages', { account, mailbox, uids, onlyDeleted: false })
    await assertLikeRows(cold.reader, await cache.get(account, mailbox))
  }
  assert.equal(most, store.rowsAtOnce)
})

test('a store whose mailboxes are read bit by bit answers like a naive one, opened again and again', async t => {
  for (const [seed, options] of [
    [31, {}],
    [32, { snapshotBytes: 0 }],
  ] as const) {
    const dataDir = temporaryFolder(t)
    await new History(() => openStore({ dataDir }, options), seed).run(300)
    assert.deepEqual((await checkStore(dataDir)).findings, [])
  }
})
