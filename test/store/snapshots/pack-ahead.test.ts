// Mailboxes are packed that nobody has opened.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountId, MailboxId } from '../../../src/base/ids.ts'
import { limits } from '../../../src/base/limits.ts'
import { silentLog } from '../../../src/base/log.ts'
import { StoreError, type StoreErrorCode } from '../../../src/store/error.ts'
import { openStore } from '../../../src/store/open-store.ts'
import type { StoreOptions } from '../../../src/store/store-options.ts'
import { messagesPerChunk } from '../../../src/store/snapshots/message-chunk.ts'
import { findPackedHeader } from '../../../src/store/snapshots/packing.ts'
import { PackAhead, type PackAheadStore } from '../../../src/store/snapshots/pack-ahead.ts'
import type { Store } from '../../../src/store/store.ts'
import { createDatabase } from '../../postgres/database.ts'
import { addAccount, type Ending, mail, mailboxId, temporaryFolder } from '../fixture.ts'
import { valuesOf } from '../snapshot-values.ts'

interface Place {
  readonly account: AccountId
  readonly mailbox: MailboxId
}

async function inbox(store: Store): Promise<Place> {
  const account = await addAccount(store)
  return { account, mailbox: await mailboxId(store, account, 'INBOX') }
}

let made = 0

async function grow(store: Store, place: Place, count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => mail(store, `message ${made++}`))
  await store.mutate('appendMessages', { ...place, messages })
}

/** How many messages the packed form has; undefined where there is none. */
async function packedIn({ reader }: Store, { account, mailbox }: Place): Promise<number | undefined> {
  const rows = await reader.arrays<[chunk: number, data: Uint8Array]>(
    'SELECT chunk, data FROM snapshot WHERE account = ? AND mailbox = ? ORDER BY chunk',
    account,
    mailbox,
  )
  const [header] = rows
  if (!header) return undefined
  const count = findPackedHeader(header[1])?.count
  assert.equal(rows.length, 1 + Math.ceil((count ?? 0) / messagesPerChunk))
  return count
}

const options: StoreOptions = { searchIndex: true }

type Writable<T> = { -readonly [Key in keyof T]: number }

const store: Writable<typeof limits.store> = limits.store
const search: Writable<typeof limits.search> = limits.search

const places = {
  'a folder': async (t: Ending) => {
    const dataDir = temporaryFolder(t)
    return () => openStore({ dataDir }, options)
  },
  PostgreSQL: async () => {
    const { url } = await createDatabase()
    return () => openStore({ url, maintains: true }, options)
  },
}

for (const [name, place] of Object.entries(places)) {
  test(`in ${name} a mailbox that has grown is packed, and packed again once it has grown by some hundred`, async t => {
    const open = await place(t)
    const store = await open()
    const large = await inbox(store)
    const small = await inbox(store)
    await grow(store, large, messagesPerChunk)
    await grow(store, small, messagesPerChunk - 1)
    await store.maintain()
    assert.equal(await packedIn(store, large), messagesPerChunk)
    assert.equal(await packedIn(store, small), undefined)
    await grow(store, large, 127)
    await store.maintain()
    assert.equal(await packedIn(store, large), messagesPerChunk)
    await grow(store, large, 1)
    await store.maintain()
    assert.equal(await packedIn(store, large), messagesPerChunk + 128)

    await store.close()
    const next = await open()
    t.after(() => next.close())
    const { count, uids, flags } = await next.snapshot(large.account, large.mailbox)
    assert.equal(count, messagesPerChunk + 128)
    assert.deepEqual(
      valuesOf(uids, count),
      Array.from({ length: count }, (_, at) => at + 1),
    )
    assert.deepEqual(new Set(valuesOf(flags, count)), new Set([0]))
  })
}

test('in a busy account a mailbox is packed again once a sixteenth is new, and by itself once it rests', async t => {
  const { packMs } = limits.store
  const { settleMs } = limits.search
  t.after(() => {
    store.packMs = packMs
    search.settleMs = settleMs
  })
  // It is at rest as soon as the indexer looks at it.
  store.packMs = 0
  search.settleMs = 0
  const opened = await openStore({ dataDir: temporaryFolder(t) }, options)
  t.after(() => opened.close())
  const place = await inbox(opened)
  await grow(opened, place, messagesPerChunk)
  while ((await packedIn(opened, place)) === undefined) await new Promise(setImmediate)

  // From now on it never is.
  store.packMs = 10 ** 9
  let nowMs = 0
  const ahead = new PackAhead(opened as Store & PackAheadStore, silentLog, () => nowMs)
  const busyLook = async () => {
    ahead.tell(place.account)
    nowMs += 10_000
    ahead.tell(place.account)
    assert.equal(await ahead.run(), false)
    return packedIn(opened, place)
  }
  await grow(opened, place, 500)
  assert.equal(await busyLook(), messagesPerChunk)
  await grow(opened, place, 12)
  assert.equal(await busyLook(), messagesPerChunk + 512)
})

test('what has come and gone again is packed for once', async t => {
  const opened = (await openStore({ dataDir: temporaryFolder(t) })) as Store & PackAheadStore
  t.after(() => opened.close())
  const place = await inbox(opened)
  let packed = 0
  const counting: PackAheadStore = {
    reader: opened.reader,
    async packAhead(account, mailbox) {
      packed++
      await opened.packAhead(account, mailbox)
    },
  }
  const ahead = new PackAhead(counting, silentLog)
  const look = async () => {
    ahead.tell(place.account)
    await ahead.run(true)
    return packed
  }
  await grow(opened, place, messagesPerChunk)
  assert.equal(await look(), 1)
  await grow(opened, place, 200)
  const uids = [[messagesPerChunk + 1, messagesPerChunk + 200]] as const
  await opened.mutate('expungeMessages', { ...place, uids, onlyDeleted: false })
  assert.equal(await look(), 2)
  assert.equal(await look(), 2)
  await grow(opened, place, 128)
  assert.equal(await look(), 3)
})

/** Mailboxes of `total` messages that no server has, by account; notes which are packed. */
function madeUp(
  sizes: ReadonlyMap<number, number>,
  failures: ReadonlyMap<number, StoreErrorCode> = new Map(),
) {
  const packed: number[] = []
  const warnings: string[] = []
  let nowMs = 0
  const reader = {
    arrays: async (_sql: string, account: AccountId) => [[1, sizes.get(account) ?? 0, 1, null]],
  } as unknown as Store['reader']
  const packAhead = async (account: AccountId) => {
    packed.push(account)
    const code = failures.get(account)
    if (code) throw new StoreError(code, 'no')
  }
  const log = { ...silentLog, warn: (_fields: unknown, text: string) => void warnings.push(text) }
  const ahead = new PackAhead({ reader, packAhead }, log, () => nowMs)
  return {
    ahead,
    packed,
    warnings,
    pass(ms: number) {
      nowMs += ms
    },
  }
}

const tell = (ahead: PackAhead, ...accounts: number[]) => {
  for (const account of accounts) ahead.tell(account as AccountId)
}

test('an account is looked at when nothing has happened in it for a while', async () => {
  const { ahead, packed, pass } = madeUp(new Map([[1, 5000]]))
  tell(ahead, 1)
  pass(limits.store.packMs - 1)
  assert.equal(await ahead.run(), false)
  assert.deepEqual(packed, [])
  pass(1)
  assert.equal(await ahead.run(), true)
  assert.deepEqual(packed, [1])
  assert.equal(await ahead.run(), true)
  assert.deepEqual(packed, [1])
})

test('an account that never rests is looked at now and then', async () => {
  const { ahead, packed, pass } = madeUp(new Map([[1, 5000]]))
  let runs = 0
  for (; packed.length < 2 && runs < 100; runs++) {
    tell(ahead, 1)
    pass(limits.store.packMs / 2)
    assert.equal(await ahead.run(), false)
  }
  assert.ok(runs >= 20 && runs <= 40, String(runs))
})

test('a mailbox that is gone or cannot be read stops no other', async () => {
  const sizes = new Map([1, 2, 3].map(account => [account, 5000]))
  const failures = new Map<number, StoreErrorCode>([
    [1, 'no-such-mailbox'],
    [2, 'unavailable'],
  ])
  const { ahead, packed, warnings } = madeUp(sizes, failures)
  tell(ahead, 1, 2, 3)
  assert.equal(await ahead.run(true), true)
  assert.deepEqual(packed, [1, 2, 3])
  assert.deepEqual(warnings, ['a mailbox could not be packed'])
})

test('what it is to forget it does not look at', async () => {
  const { ahead, packed } = madeUp(new Map([[1, 5000]]))
  tell(ahead, 1)
  ahead.forget()
  assert.equal(await ahead.run(true), true)
  assert.deepEqual(packed, [])
})

test('once closed it packs no more', async () => {
  const { ahead, packed } = madeUp(new Map([[1, 5000]]))
  tell(ahead, 1)
  ahead.close()
  await ahead.run(true)
  assert.deepEqual(packed, [])
})
