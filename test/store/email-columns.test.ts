// Columns of emails as the index knows them are those of the rows.
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AccountId } from '../../src/base/ids.ts'
import { type EmailColumns, EmailColumnCache } from '../../src/store/email-columns.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { KeyColumn, NumberColumn, TextColumn } from '../../src/store/read/email-columns.ts'
import type { Reader, Store } from '../../src/store/store.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from './fixture.ts'

const numbers = ['sent_at', 'sent_zone_minutes', 'is_reply'] as const satisfies readonly NumberColumn[]
const texts = ['base_subject', 'message_id', 'reference_ids'] as const satisfies readonly TextColumn[]

/** Adds emails with dates from that year on: some without one, some answers, some with a subject that the index does not take, or with none. */
async function fill(store: Store, account: AccountId, count: number, year = 2001): Promise<void> {
  const mailbox = await mailboxId(store, account, 'INBOX')
  const messages = Array.from({ length: count }, (_unused, at) => {
    const date = new Date(Date.UTC(year, 0, 1, at)).toUTCString().replace('GMT', at % 2 ? '+0530' : '-0800')
    const text =
      at % 401 === 7
        ? 'long '.repeat(1000)
        : at % 11
          ? `${year}: ${at % 7 ? 'Größe' : 'number'} ${at % 50}`
          : ''
    const fields = [`Subject: ${at % 3 ? '' : 'Re: '}${text}`, `Message-ID: <${at}.${year}@example.org>`]
    if (at % 4 === 0) fields.push(`References: <${at >> 3}@example.org> <${at >> 2}@example.org>`)
    return mail(store, `${at}`, { fields: at % 5 ? [`Date: ${date}`, ...fields] : fields })
  })
  await store.mutate('appendMessages', { account, mailbox, messages })
}

/** Counts the rows that are read. */
function counting(reader: Reader): { readonly reader: Reader; readonly rows: () => number } {
  let rows = 0
  const counted: Reader = {
    all: (...args) => reader.all(...args),
    get: (...args) => reader.get(...args),
    async arrays<Row extends readonly unknown[]>(...args: Parameters<Reader['arrays']>) {
      const found = await reader.arrays<Row>(...args)
      rows += found.length
      return found
    },
  }
  return { reader: counted, rows: () => rows }
}

/** The texts of emails. */
function textsOf(columns: EmailColumns, name: TextColumn): readonly string[] {
  const { numbers: ofEmails, set } = columns.texts(name)
  const { bytes, starts } = set.texts
  return Array.from(ofEmails, number =>
    Buffer.from(bytes.subarray(starts[number], (starts[number + 1] as number) - 1)).toString(),
  )
}

const nothing = () => undefined

/** Holds the columns of `emails` as a cache has them against the rows. */
async function hold(
  cache: EmailColumnCache,
  store: Store,
  account: AccountId,
  emails: Float64Array,
  names: readonly KeyColumn[] = [...numbers, ...texts],
): Promise<void> {
  const known = await cache.load(account, emails, names, nothing)
  const told = await new EmailColumnCache(store.reader).load(account, emails, names, nothing)
  for (const name of numbers)
    if (names.includes(name)) assert.deepEqual(known.numbers(name), told.numbers(name), name)
  for (const name of texts)
    if (names.includes(name)) assert.deepEqual(textsOf(known, name), textsOf(told, name), name)
}

/** Holds the columns of `emails` against the rows; how many rows were read where the index could be asked. */
async function compare(store: Store, account: AccountId, emails: Float64Array): Promise<number> {
  const { reader, rows } = counting(store.reader)
  await hold(new EmailColumnCache(reader, store.searchIndex), store, account, emails)
  return rows()
}

const idsTo = (last: number) => Float64Array.from({ length: last }, (_unused, at) => at + 1)

test('what the index knows is not read from rows, and what it does not know is', async t => {
  const store = await openStore({ memory: true }, { searchIndex: true })
  t.after(() => store.close())
  const account = await addAccount(store)
  await fill(store, account, 2100)
  const all = idsTo(2100)
  assert.equal(await compare(store, account, all), 2100)
  await store.maintain()
  // One row of each chunk, those with a text that is too long, and those behind the last chunk.
  const tooLong = 6
  assert.equal(await compare(store, account, all), 2 + tooLong + 2100 - 2047)
  await compare(store, account, all.filter(id => id % 7 < 3).toReversed())
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('expungeMessages', { account, mailbox, uids: [[1100, 1200]], onlyDeleted: false })
  await store.maintain()
  assert.equal(await compare(store, account, all), 2 + tooLong + 101 + 2100 - 2047)
  await fill(store, account, 1000)
  assert.equal(await compare(store, account, idsTo(3100)), 2 + tooLong + 101 + 3100 - 2047)
})

test('columns are the same in whatever order and up to which emails they are asked for (property)', async t => {
  const store = await openStore({ memory: true }, { searchIndex: true })
  t.after(() => store.close())
  const account = await addAccount(store)
  await fill(store, account, 2100)
  await store.maintain()
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('expungeMessages', { account, mailbox, uids: [[500, 520]], onlyDeleted: false })
  await store.maintain()
  const names = fc.uniqueArray(fc.constantFrom(...numbers, ...texts), { minLength: 1 })
  const property = fc.asyncProperty(
    fc.array(fc.tuple(fc.integer({ min: 64, max: 2100 }), names), { minLength: 1, maxLength: 6 }),
    async asked => {
      const cache = new EmailColumnCache(store.reader, store.searchIndex)
      for (const [last, columns] of asked) await hold(cache, store, account, idsTo(last), columns)
      for (const [last] of asked) await hold(cache, store, account, idsTo(last))
    },
  )
  await fc.assert(property, { numRuns: 30 })
})

test('a block whose emails are asked for little by little is taken from the index once', async t => {
  const store = await openStore({ memory: true }, { searchIndex: true })
  t.after(() => store.close())
  const account = await addAccount(store)
  await fill(store, account, 1100)
  await store.maintain()
  const { reader, rows } = counting(store.reader)
  const cache = new EmailColumnCache(reader, store.searchIndex)
  const weights: number[] = []
  for (let last = 100; last <= 1000; last += 100) {
    const columns = await cache.load(account, idsTo(last), texts, nothing)
    weights.push(columns.texts('message_id').set.weight)
  }
  assert.equal(new Set(weights).size, 1)
  // One for the block, and those with a text that is too long.
  assert.equal(rows(), 1 + 3)
})

for (const [what, change] of [
  ['with a damaged piece', `UPDATE search_piece SET data = zeroblob(length(data)) WHERE name = 'message_id'`],
  ['without a piece', `DELETE FROM search_piece WHERE name = 'reference_ids'`],
  ['of another version', 'PRAGMA user_version = 3'],
] as const)
  test(`columns are read from rows beside an index ${what}`, async t => {
    const dataDir = temporaryFolder(t)
    const store = await openStore({ dataDir }, { searchIndex: true })
    t.after(() => store.close())
    const account = await addAccount(store)
    await fill(store, account, 1100)
    await store.maintain()
    assert.ok((await compare(store, account, idsTo(1100))) < 100)
    const database = new DatabaseSync(join(dataDir, 'search.db'))
    database.exec(change)
    database.close()
    await compare(store, account, idsTo(1100))
  })

test('an index of emails whose ids were given again is not believed', async t => {
  const dataDir = temporaryFolder(t)
  const before = await openStore({ dataDir }, { searchIndex: true })
  const account = await addAccount(before)
  await fill(before, account, 100)
  await before.close()
  const later = temporaryFolder(t)
  cpSync(dataDir, later, { recursive: true })
  const first = await openStore({ dataDir }, { searchIndex: true })
  await fill(first, account, 1000)
  await first.maintain()
  await first.close()
  for (const count of [500, 1000]) {
    const folder = temporaryFolder(t)
    cpSync(later, folder, { recursive: true })
    const second = await openStore({ dataDir: folder })
    await fill(second, account, count, 2011)
    await second.close()
    cpSync(join(dataDir, 'search.db'), join(folder, 'search.db'))
    const store = await openStore({ dataDir: folder }, { searchIndex: true })
    t.after(() => store.close())
    await compare(store, account, idsTo(100 + count))
  }
})
