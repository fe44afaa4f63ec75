import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { AccountId, MailboxId } from '../../../src/base/ids.ts'
import { limits } from '../../../src/base/limits.ts'
import type { MailboxSnapshot } from '../../../src/store/mailbox-snapshot.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { messagesPerChunk, type SnapshotRow } from '../../../src/store/snapshots/message-chunk.ts'
import { MessageList } from '../../../src/store/snapshots/message-list.ts'
import { isPackedChunk } from '../../../src/store/snapshots/packed-chunk.ts'
import {
  findPackedHeader,
  lastUidIn,
  packChunk,
  packWhole,
  type PackedHeader,
  soundChunk,
  unpackList,
} from '../../../src/store/snapshots/packing.ts'
import type { Store } from '../../../src/store/store.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from '../fixture.ts'
import { valuesOf } from '../snapshot-values.ts'

/** A list of messages with the UIDs and values that are given for each, and what it holds. */
function listOf(count: number, rowOf: (index: number) => SnapshotRow): MessageList {
  const list = new MessageList()
  list.append(
    0,
    Array.from({ length: count }, (_unused, index) => rowOf(index)),
  )
  return list
}

function rowsOf(list: MessageList, count: number): number[][] {
  const { uids, flags, modSeqs, sizes, receivedAts, savedAts, emails } = list
  const columns = [uids, flags, modSeqs, sizes, receivedAts, savedAts, emails].map(column =>
    valuesOf(column, count),
  )
  return Array.from({ length: count }, (_, at) => columns.map(column => column[at] as number))
}

/** What the header and the chunks lead to; undefined where one of them is not sound. */
function unpack(header: PackedHeader, chunks: readonly Uint8Array[]): MessageList | undefined {
  const sound = chunks.map((bytes, number) => soundChunk(header, number, bytes))
  if (sound.length !== header.heads.count || sound.includes(undefined)) return undefined
  return unpackList(header, chunk => sound[chunk] as Uint8Array)
}

/** How far a column's values lie apart: what fits 0, 1, 2, 4 and 8 bytes, each at its bound. */
const spans = fc.constantFrom(0, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 52)
const steps = fc.constantFrom(1, 1000)

test('what is packed comes back as it was, for any count of messages', () => {
  const counts = fc.constantFrom(0, 1, messagesPerChunk - 1, messagesPerChunk, messagesPerChunk + 1, 3000)
  const bases = fc.oneof(fc.constantFrom(0, -62_135_596_800_000, 1_700_000_000_000), fc.integer())
  fc.assert(
    fc.property(
      counts,
      fc.integer({ min: 0, max: 2 ** 31 }),
      spans,
      steps,
      bases,
      (count, seed, span, step, base) => {
        const value = (column: number, i: number) => {
          const distance = (i + column) % 7 === 3 ? span : (seed * (i + 1)) % (span + 1)
          return column < 2 ? distance % 2 ** 32 : (base - (base % step) + distance * step) % 2 ** 53
        }
        const uid = (i: number) => i + 1 + (i >> (seed % 8))
        const list = listOf(
          count,
          i => [uid(i), ...[1, 2, 3, 4, 5, 6].map(column => value(column, i))] as unknown as SnapshotRow,
        )
        const survey = { firstUnseen: count - 1, keywordSets: [3, seed] }
        const { header: bytes, chunks } = packWhole({ uidValidity: 7, count, survey, list })
        const header = findPackedHeader(bytes)
        assert.ok(header)
        assert.deepEqual([header.uidValidity, header.count, header.survey], [7, count, survey])
        assert.equal(lastUidIn(header), count > 0 ? uid(count - 1) : 0)
        // From an odd offset, as a database may give it.
        const shifted = chunks.map(chunk => {
          const bytes = new Uint8Array(chunk.length + 1)
          bytes.set(chunk, 1)
          return bytes.subarray(1)
        })
        const back = unpack(header, shifted)
        assert.ok(back)
        // What is said of each chunk without a look at it.
        const summaries = (of: MessageList) =>
          [...of.pieces(0, count)].map(({ chunk, to }) => [chunk.firstUid, chunk.summary(to)])
        assert.deepEqual(summaries(back), summaries(list))
        assert.deepEqual(rowsOf(back, count), rowsOf(list, count))
      },
    ),
    { numRuns: 60 },
  )
})

test('damaged or missing chunks and headers are not taken', () => {
  const list = listOf(2000, i => [i + 7, 0, 0, 0, 0, 0, i])
  const survey = { firstUnseen: -1, keywordSets: [] }
  const { header: bytes, chunks } = packWhole({ uidValidity: 1, count: 2000, survey, list })
  const header = findPackedHeader(bytes)
  assert.ok(header)
  for (let at = 0; at < bytes.length; at++) {
    const bad = bytes.slice()
    bad[at] = (bad[at] as number) ^ 1
    assert.equal(findPackedHeader(bad), undefined)
  }
  assert.equal(findPackedHeader(bytes.subarray(0, 8)), undefined)
  assert.equal(findPackedHeader(new Uint8Array()), undefined)
  const [first, second] = chunks as [Uint8Array, Uint8Array]
  const bad = first.slice()
  bad[20] = 1
  assert.ok(unpack(header, [first, second]))
  assert.equal(unpack(header, [bad, second]), undefined)
  assert.equal(unpack(header, [first]), undefined)
  assert.equal(unpack(header, [second, first]), undefined)
  for (const ranges of [
    [7, 2005],
    [7, 2007],
    [7, 6],
    [7, 2006, 3000, 2999],
    [7, 1006, 1006, 2005],
    [0, 1999],
    [7],
  ]) {
    assert.equal(unpack({ ...header, uidRanges: Uint32Array.from(ranges) }, chunks), undefined)
  }
})

test('a chunk whose heads or length are wrong is not taken, whatever its checksum says', () => {
  const list = listOf(100, i => [i + 1, 0, 0, 0, 0, 0, i * 300])
  const { data: chunk } = packChunk(list, 0, 100)
  assert.ok(isPackedChunk(chunk, 100))
  for (let length = 0; length < chunk.length; length++)
    assert.equal(isPackedChunk(chunk.slice(0, length), 100), false)
  assert.equal(isPackedChunk(Uint8Array.from([...chunk, ...new Uint8Array(8)]), 100), false)
  assert.equal(isPackedChunk(chunk, 101 + 8), false)
  const bad = chunk.slice()
  new DataView(bad.buffer).setUint32(12, 3)
  assert.equal(isPackedChunk(bad, 100), false)
  // Anything at all is told, and nothing is thrown.
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), bytes => typeof isPackedChunk(bytes, 3) === 'boolean'),
  )
})

test('a packed message takes a third of the memory of one that is not, or less', () => {
  const list = listOf(messagesPerChunk, i => [
    i + 1,
    i % 3,
    1_000_000 + (i >> 3),
    2000 + ((i * 7919) % 60_000),
    1_700_000_000_000 + i * 86_400_000,
    1_730_000_000_000 + i,
    70_000 + i,
  ])
  assert.ok(packChunk(list, 0, messagesPerChunk).data.length <= (messagesPerChunk * 48) / 3)
})

function describe(snapshot: MailboxSnapshot): unknown {
  const { count, uidNext, modSeq } = snapshot
  const columns = [
    snapshot.uids,
    snapshot.flags,
    snapshot.modSeqs,
    snapshot.sizes,
    snapshot.savedAts,
    snapshot.emails,
  ]
  return [count, uidNext, modSeq, ...columns.map(column => valuesOf(column, count))]
}

interface Opened {
  readonly dataDir: string
  readonly account: AccountId
  readonly mailbox: MailboxId
  store: Store
  reopen(): Promise<void>
  /** Changes the closed database and opens it again. */
  tamper(sql: string): Promise<void>
}

/** A store with 2,100 messages in INBOX, whose snapshot is packed. */
async function openPacked(t: TestContext): Promise<Opened> {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const messages = Array.from({ length: 700 }, (_, i) => mail(store, `${i}`, { fields: ['Subject: x'] }))
  for (let i = 0; i < 3; i++) await store.mutate('appendMessages', { account, mailbox, messages })
  const opened: Opened = {
    dataDir,
    account,
    mailbox,
    store,
    async reopen() {
      await opened.store.close()
      opened.store = await openStore({ dataDir })
    },
    async tamper(sql) {
      await opened.store.close()
      const database = new DatabaseSync(join(dataDir, 'store.db'))
      database.exec(sql)
      database.close()
      opened.store = await openStore({ dataDir })
    },
  }
  t.after(() => opened.store.close())
  await store.snapshot(account, mailbox)
  // What is to be packed soon is packed before it is closed.
  await opened.reopen()
  return opened
}

/** Waits until something newer than `after` is packed; its modSeq. */
async function packedModSeq({ store, account, mailbox }: Opened, after: number): Promise<number> {
  for (;;) {
    const row = await store.reader.get<{ mod_seq: number }>(
      'SELECT mod_seq FROM snapshot WHERE account = ? AND mailbox = ? AND chunk = 0',
      account,
      mailbox,
    )
    if (row && row.mod_seq > after) return row.mod_seq
    await new Promise(setImmediate)
  }
}

test('a cold snapshot is read from the packed chunks and brought up to date', async t => {
  const opened = await openPacked(t)
  const { account, mailbox } = opened
  const change = { account, mailbox, mode: 'add', flags: { system: 1, keywords: ['$X'] } } as const
  await opened.store.mutate('storeFlags', {
    ...change,
    uids: [
      [5, 9],
      [1500, 1500],
    ],
  })
  await opened.store.mutate('expungeMessages', {
    account,
    mailbox,
    uids: [
      [7, 7],
      [2100, 2100],
    ],
    onlyDeleted: false,
  })
  await opened.store.mutate('appendMessages', { account, mailbox, messages: [mail(opened.store)] })
  const warm = describe(await opened.store.snapshot(account, mailbox))
  // The row of a message that did not change is read from the chunk, and not from the table: this shows it.
  await opened.tamper('UPDATE message SET received_at = 12345 WHERE mailbox = 1 AND uid = 3')
  const cold = await opened.store.snapshot(account, mailbox)
  assert.deepEqual(describe(cold), warm)
  assert.notEqual(cold.receivedAts.at(2), 12345)
})

test('as many may have come as have gone since a mailbox was packed', async t => {
  const { store, account, mailbox } = await openPacked(t)
  await store.mutate('expungeMessages', { account, mailbox, uids: [[7, 7]], onlyDeleted: false })
  await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
  const { uids, count } = await store.snapshot(account, mailbox)
  assert.equal(count, 2100)
  assert.deepEqual([uids.at(5), uids.at(6), uids.at(2098), uids.at(2099)], [6, 8, 2100, 2101])
})

for (const [what, sql] of [
  ['a chunk is damaged', `UPDATE snapshot SET data = zeroblob(length(data)) WHERE chunk = 1`],
  ['a chunk is missing', 'DELETE FROM snapshot WHERE chunk = 1'],
  ['the header is damaged', `UPDATE snapshot SET data = x'00' WHERE chunk = 0`],
  ['the header is of a later state than the mailbox', 'UPDATE snapshot SET mod_seq = 999999 WHERE chunk = 0'],
  ['expunges since are forgotten', 'UPDATE mailbox SET tombstone_floor = mod_seq + 1'],
  ['there is none', 'DELETE FROM snapshot'],
] as const) {
  test(`the rows are read when ${what}`, async t => {
    const opened = await openPacked(t)
    const { account, mailbox } = opened
    const warm = describe(await opened.store.snapshot(account, mailbox))
    await opened.tamper(`${sql}; UPDATE message SET received_at = 12345 WHERE mailbox = 1 AND uid = 3`)
    const cold = await opened.store.snapshot(account, mailbox)
    assert.deepEqual(describe(cold), warm)
    assert.equal(cold.receivedAts.at(2), 12345)
  })
}

test('a snapshot that has drifted is packed again, only where it differs', async t => {
  const opened = await openPacked(t)
  const { account, mailbox } = opened
  const change = { account, mailbox, mode: 'add', flags: { system: 1, keywords: [] } } as const
  await opened.store.mutate('storeFlags', { ...change, uids: [[1100, 2000]] })
  const warm = describe(await opened.store.snapshot(account, mailbox))
  await opened.tamper('UPDATE message SET received_at = 12345 WHERE mailbox = 1 AND uid = 3')
  const cold = await opened.store.snapshot(account, mailbox)
  assert.deepEqual(describe(cold), warm)
  assert.notEqual(cold.receivedAts.at(2), 12345)
})

test('a mailbox that has not changed since it was packed is opened by the header alone', async t => {
  const opened = await openPacked(t)
  const { account, mailbox } = opened
  const warm = describe(await opened.store.snapshot(account, mailbox))
  await opened.tamper('DELETE FROM snapshot WHERE chunk > 0')
  const cold = await opened.store.snapshot(account, mailbox)
  assert.deepEqual([cold.count, cold.firstUnseen, cold.keywords], [2100, 0, []])
  // Without the chunks the rest is read from the rows.
  assert.deepEqual(describe(cold), warm)
})

test('what is read of a snapshot after others have changed the mailbox keeps its UIDs', async t => {
  const opened = await openPacked(t)
  const { account, mailbox } = opened
  const before = await packedModSeq(opened, 0)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const early = await opened.store.snapshot(account, mailbox)
  const change = { account, mailbox, mode: 'add', flags: { system: 1, keywords: [] } } as const
  await opened.store.mutate('storeFlags', { ...change, uids: [[1, 2000]] })
  await opened.store.mutate('expungeMessages', { account, mailbox, uids: [[5, 5]], onlyDeleted: false })
  await opened.store.mutate('appendMessages', { account, mailbox, messages: [mail(opened.store)] })
  const later = await opened.store.snapshot(account, mailbox)
  t.mock.timers.tick(limits.store.packMs)
  await packedModSeq(opened, before)
  t.mock.timers.reset()
  assert.deepEqual([early.count, early.uids.at(4), early.emails.at(4) > 0], [2100, 5, true])
  assert.deepEqual([later.count, later.uids.at(4), later.flags.at(4)], [2100, 6, 1])
  assert.equal(later.emails.at(0), early.emails.at(0))
})

test('what is read of a snapshot after a change is still told as changed', async t => {
  const opened = await openPacked(t)
  const { account, mailbox } = opened
  // Without the chunks the columns are those of the rows as they are when they are asked for.
  await opened.tamper('DELETE FROM snapshot WHERE chunk > 0')
  const { store } = opened
  const early = await store.snapshot(account, mailbox)
  const change = { account, mailbox, mode: 'add', flags: { system: 1, keywords: [] } } as const
  const { modSeq } = await store.mutate('storeFlags', { ...change, uids: [[3, 3]] })
  assert.equal(early.flags.at(2), 1)
  await store.mutate('storeFlags', { ...change, uids: [[4, 4]] })
  const later = await store.snapshot(account, mailbox)
  assert.deepEqual((await later.changesAfter(early.modSeq)).changed, [2, 3])
  assert.equal(later.modSeqs.at(2), modSeq)
})
