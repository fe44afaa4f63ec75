import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { systemClock } from '../../src/base/clock.ts'
import type { AccountId, MailboxId, ModSeq, Uid } from '../../src/base/ids.ts'
import { limits } from '../../src/base/limits.ts'
import { type Metrics, silentMetrics } from '../../src/base/metrics.ts'
import { checkStore } from '../../src/store/check.ts'
import { flagged, noFlags, seen } from '../../src/store/flags.ts'
import { type ConnectedStore, openStore } from '../../src/store/open-store.ts'
import { Connection } from '../../src/store/sqlite/connection.ts'
import { DirectWriter } from '../../src/store/sqlite/direct-writer.ts'
import { startWriter, type WriterHandle } from '../../src/store/sqlite/start-writer.ts'
import { WriterGate } from '../../src/store/sqlite/writer-gate.ts'
import type { StoreOptions } from '../../src/store/store-options.ts'
import type { ChangeHint, Store } from '../../src/store/store.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from './fixture.ts'
import { valuesOf } from './snapshot-values.ts'

/** Counts what a thread has committed itself. */
class Commits implements Metrics {
  direct = 0
  count(name: string): void {
    if (name === 'store_mutations') this.direct++
  }
  gauge(): void {}
  observe(): void {}
}

interface Threads {
  readonly dataDir: string
  readonly writer: WriterHandle
  readonly one: ConnectedStore
  readonly two: ConnectedStore
  readonly commits: Commits
  close(): Promise<void>
}

async function open(t: TestContext, options: StoreOptions = {}): Promise<Threads> {
  const dataDir = temporaryFolder(t)
  const commits = new Commits()
  const writer = await startWriter(dataDir, options)
  const one = await openStore({ dataDir, port: writer.connect() }, { ...options, metrics: commits })
  const two = await openStore({ dataDir, port: writer.connect() }, options)
  let closing: Promise<void> | undefined
  const close = () =>
    (closing ??= (async () => {
      await one.close()
      await two.close()
      await writer.close()
    })())
  t.after(close)
  return { dataDir, writer, one, two, commits, close }
}

async function inbox(
  store: Store,
  count: number,
): Promise<{ account: AccountId; mailbox: MailboxId; uids: readonly Uid[] }> {
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const messages = Array.from({ length: count }, () => mail(store))
  const { uids } = await store.mutate('appendMessages', { account, mailbox, messages })
  return { account, mailbox, uids }
}

const flag = (place: { account: AccountId; mailbox: MailboxId }, first: number, last = first) =>
  ({
    account: place.account,
    mailbox: place.mailbox,
    uids: [[first, last]],
    mode: 'add',
    flags: { ...noFlags, system: flagged },
  }) as const

test('a small change of flags is made by the thread that asks, and others see and hear of it', async t => {
  const { one, two, commits } = await open(t)
  const place = await inbox(one, 3)
  const before = await two.snapshot(place.account, place.mailbox)
  const heard = (store: Store) =>
    new Promise<ChangeHint>(resolve => {
      store.watch(place.account, hint => {
        if (hint.modSeq > before.modSeq) resolve(hint)
      })
    })
  const heardHere = heard(one)
  const heardThere = heard(two)
  const { modSeq, changed } = await one.mutate('storeFlags', flag(place, 2))
  assert.equal(commits.direct, 1)
  assert.deepEqual(changed, [[2, 2]])
  assert.deepEqual(await heardHere, { account: place.account, modSeq })
  const after = await two.snapshot(place.account, place.mailbox)
  assert.equal(after.modSeq, modSeq)
  assert.equal(after.flags.at(1), flagged)
  assert.ok(after.modSeq > before.modSeq)
  assert.deepEqual(await heardThere, { account: place.account, modSeq })
})

test('what is refused leaves nothing behind and takes no modSeq', async t => {
  const { one, commits } = await open(t)
  const place = await inbox(one, 1)
  const gone = { ...place, mailbox: 999 as MailboxId }
  await assert.rejects(one.mutate('storeFlags', flag(gone, 1)), { code: 'no-such-mailbox' })
  const { modSeq } = await one.snapshot(place.account, place.mailbox)
  const next = await one.mutate('storeFlags', flag(place, 1))
  assert.equal(next.modSeq, modSeq + 1)
  assert.equal(commits.direct, 1)
})

test('mail, changes of many messages, and all that is to be synced goes to the writer', async t => {
  const { one, commits } = await open(t)
  const many = limits.store.briefMessages + 1
  const place = await inbox(one, many)
  await one.mutate('storeFlags', flag(place, 1, many))
  await one.mutate('expungeMessages', {
    account: place.account,
    mailbox: place.mailbox,
    uids: [[1, 1]],
    onlyDeleted: false,
  })
  assert.equal(commits.direct, 0)
  await one.mutate('storeFlags', { ...flag(place, 2, many), mode: 'remove' })
  assert.equal(commits.direct, 1)
})

test('with strict durability nothing is made beside the writer', async t => {
  const { one, commits } = await open(t, { durability: 'strict' })
  const place = await inbox(one, 1)
  await one.mutate('storeFlags', flag(place, 1))
  assert.equal(commits.direct, 0)
})

test('changes that a thread asks for stay in their order, whoever makes them', async t => {
  const { one } = await open(t)
  const place = await inbox(one, 1)
  const asked: Promise<{ readonly modSeq: ModSeq }>[] = []
  for (let round = 0; round < 50; round++) {
    asked.push(one.mutate('storeFlags', { ...flag(place, 1), mode: round % 2 === 0 ? 'add' : 'remove' }))
    if (round % 3 === 0) await new Promise(setImmediate)
    if (round % 7 === 0)
      asked.push(
        one.mutate('appendMessages', {
          account: place.account,
          mailbox: place.mailbox,
          messages: [mail(one)],
        }),
      )
  }
  const modSeqs = (await Promise.all(asked)).map(({ modSeq }) => modSeq)
  assert.deepEqual(
    modSeqs,
    modSeqs.toSorted((a, b) => a - b),
  )
  assert.equal(new Set(modSeqs).size, modSeqs.length)
})

test('two threads and the writer change one mailbox at once, and the store is whole', async t => {
  const { dataDir, one, two, commits, close } = await open(t)
  const place = await inbox(one, 20)
  const { account, mailbox } = place
  const modSeqs: number[] = []
  const work = async (store: Store, bits: number) => {
    for (let round = 0; round < 100; round++) {
      const mode = Math.floor(round / 20) % 2 === 0 ? 'add' : 'remove'
      const flags = { ...noFlags, system: bits }
      const uids = [[(round % 20) + 1, (round % 20) + 1]] as const
      modSeqs.push((await store.mutate('storeFlags', { account, mailbox, uids, mode, flags })).modSeq)
      if (round % 10 === 0)
        await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
    }
  }
  await Promise.all([work(one, flagged), work(two, seen)])
  assert.equal(new Set(modSeqs).size, modSeqs.length)
  const { count, flags, modSeq } = await one.snapshot(account, mailbox)
  const seenByTwo = await two.snapshot(account, mailbox)
  assert.equal(count, 40)
  assert.equal(modSeq, seenByTwo.modSeq)
  assert.deepEqual(valuesOf(flags, count), valuesOf(seenByTwo.flags, count))
  assert.ok(commits.direct > 0)
  await close()
  const report = await checkStore(dataDir)
  assert.deepEqual(report.findings, [])
})

test('a thread follows its own change of flags without reading it again', async t => {
  const { dataDir, one } = await open(t)
  const place = await inbox(one, 3)
  await one.snapshot(place.account, place.mailbox)
  const { modSeq } = await one.mutate('storeFlags', flag(place, 2))
  // Who reads the mailbox now finds it changed, which nobody has told.
  const other = new Connection(join(dataDir, 'store.db'), {
    readOnly: false,
    timeoutMs: 1000,
    cacheBytes: 65_536,
  })
  t.after(() => other.close())
  other.run('UPDATE mailbox SET mod_seq = mod_seq + 100')
  const followed = await one.snapshot(place.account, place.mailbox)
  assert.equal(followed.modSeq, modSeq)
  assert.deepEqual(valuesOf(followed.flags, 3), [0, flagged, 0])
  assert.equal(followed.modSeqs.at(1), modSeq)
  assert.deepEqual(followed.changedAfter((modSeq - 1) as ModSeq), [1])
})

type Step = (store: Store, place: { account: AccountId; mailbox: MailboxId }) => Promise<unknown>

const uid = fc.integer({ min: 1, max: 20 })

/** What a thread does in a mailbox of some twenty messages. */
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        uid,
        more: fc.integer({ min: 0, max: 3 }),
        mode: fc.constantFrom('add', 'remove', 'replace'),
        flags: fc.constantFrom(
          { system: flagged, keywords: [] },
          { system: flagged + seen, keywords: [] },
          { system: seen, keywords: ['$X'] },
        ),
      })
      .map(
        ({ uid, more, mode, flags }): Step =>
          (store, place) =>
            store.mutate('storeFlags', { ...place, uids: [[uid, uid + more]], mode, flags }),
      ),
  },
  fc.constant<Step>((store, place) => store.mutate('appendMessages', { ...place, messages: [mail(store)] })),
  uid.map(
    (uid): Step =>
      (store, place) =>
        store.mutate('expungeMessages', { ...place, uids: [[uid, uid]], onlyDeleted: false }),
  ),
)

test('whoever changes a mailbox, each thread sees it as the rows are', async t => {
  const { one, two, commits } = await open(t)
  await fc.assert(
    fc.asyncProperty(
      // Who does it, and whether that one then waits for it, and looks.
      fc.array(fc.tuple(fc.boolean(), step, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 30 }),
      async history => {
        const { account, mailbox } = await inbox(one, 16)
        let before = await one.snapshot(account, mailbox)
        const asked: Promise<unknown>[] = []
        for (const [isOne, take, waits, looks] of history) {
          const store = isOne ? one : two
          asked.push(take(store, { account, mailbox }))
          if (waits) await Promise.all(asked.splice(0))
          if (looks) before = await store.snapshot(account, mailbox)
        }
        await Promise.all(asked)
        const rows = await one.reader.arrays<[uid: number, flags: number, modSeq: number]>(
          'SELECT uid, flags, mod_seq FROM message WHERE account = ? AND mailbox = ? ORDER BY uid',
          account,
          mailbox,
        )
        const changed = rows.flatMap(([, , modSeq], at) => (modSeq > before.modSeq ? [at] : []))
        for (const store of [one, two]) {
          const snapshot = await store.snapshot(account, mailbox)
          const { count, uids, flags, modSeqs } = snapshot
          const shown = Array.from({ length: count }, (_, at) => [uids.at(at), flags.at(at), modSeqs.at(at)])
          assert.deepEqual(shown, rows)
          assert.deepEqual(snapshot.changedAfter(before.modSeq), changed)
        }
      },
    ),
    { numRuns: 60 },
  )
  assert.ok(commits.direct > 0)
})

test('a thread that ends in its transaction leaves nothing behind, and the writer goes on', async t => {
  const { dataDir, one } = await open(t)
  const place = await inbox(one, 1)
  const worker = new Worker(
    `const { DatabaseSync } = require('node:sqlite')
     const database = new DatabaseSync(${JSON.stringify(join(dataDir, 'store.db'))})
     database.exec('BEGIN IMMEDIATE; UPDATE message SET flags = 1')
     require('node:worker_threads').parentPort.postMessage('locked')
     setInterval(() => database, 1000)`,
    { eval: true },
  )
  await new Promise(resolve => worker.once('message', resolve))
  // Cannot be made here, and waits for the other thread's transaction there.
  const change = one.mutate('storeFlags', flag(place, 1))
  await worker.terminate()
  await change
  const { flags } = await one.snapshot(place.account, place.mailbox)
  assert.equal(flags.at(0), flagged)
})

test('nothing is made while the writer has something to do, or does not trust its log', async t => {
  const { dataDir, one } = await open(t)
  const place = await inbox(one, 1)
  const direct = new DirectWriter({
    path: join(dataDir, 'store.db'),
    clock: systemClock,
    metrics: silentMetrics,
    defaultQuota: {},
  })
  t.after(() => direct.close())
  const gate = new WriterGate()
  const run = () => direct.run(gate, 'storeFlags', flag(place, 1))
  assert.equal((await run()).kind, 'busy')
  gate.open()
  gate.wait(1)
  assert.equal((await run()).kind, 'busy')
  gate.wait(-1)
  gate.close()
  assert.equal((await run()).kind, 'busy')
  gate.open()
  assert.equal((await run()).kind, 'ran')
})

test('what another connection locks is left to the writer', async t => {
  const { dataDir, one } = await open(t)
  const place = await inbox(one, 1)
  const path = join(dataDir, 'store.db')
  const direct = new DirectWriter({ path, clock: systemClock, metrics: silentMetrics, defaultQuota: {} })
  const other = new Connection(path, { readOnly: false, timeoutMs: 0, cacheBytes: 65_536 })
  t.after(() => {
    direct.close()
    other.close()
  })
  const gate = new WriterGate()
  gate.open()
  other.run('BEGIN IMMEDIATE')
  assert.equal((await direct.run(gate, 'storeFlags', flag(place, 1))).kind, 'busy')
  other.run('ROLLBACK')
  assert.equal((await direct.run(gate, 'storeFlags', flag(place, 1))).kind, 'ran')
})

test('the first change after a sync is told to the writer, who syncs it', () => {
  const gate = new WriterGate()
  const there = new WriterGate(gate.buffer)
  assert.equal(gate.markUnsynced(), true)
  assert.equal(gate.markUnsynced(), false)
  assert.equal(there.isUnsynced, true)
  there.clearUnsynced()
  assert.equal(gate.markUnsynced(), true)
})
