// Columns of emails as the index knows them are those of the rows.
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AccountId } from '../../src/base/ids.ts'
import { EmailColumnCache } from '../../src/store/email-columns.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { NumberColumn } from '../../src/store/read/email-columns.ts'
import type { Reader, Store } from '../../src/store/store.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from './fixture.ts'

const columns = ['sent_at', 'sent_zone_minutes', 'is_reply'] as const satisfies readonly NumberColumn[]

/** Adds emails with dates from that year on, some of them without one, some of them answers. */
async function fill(store: Store, account: AccountId, count: number, year = 2001): Promise<void> {
  const mailbox = await mailboxId(store, account, 'INBOX')
  const messages = Array.from({ length: count }, (_unused, at) => {
    const date = new Date(Date.UTC(year, 0, 1, at)).toUTCString().replace('GMT', at % 2 ? '+0530' : '-0800')
    const subject = `Subject: ${at % 3 ? '' : 'Re: '}number ${at}`
    return mail(store, `${at}`, { fields: at % 5 ? [`Date: ${date}`, subject] : [subject] })
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

/** Holds the columns of `emails` against the rows; how many rows were read where the index could be asked. */
async function compare(store: Store, account: AccountId, emails: Float64Array): Promise<number> {
  const { reader, rows } = counting(store.reader)
  const load = (cache: EmailColumnCache) => cache.load(account, emails, columns, () => undefined)
  const known = await load(new EmailColumnCache(reader, store.searchIndex))
  const told = await load(new EmailColumnCache(store.reader))
  for (const name of columns) assert.deepEqual(known.numbers(name), told.numbers(name), name)
  assert.ok(told.numbers('sent_at').some(value => value > 0))
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
  // One row of each chunk, and those behind the last one.
  assert.equal(await compare(store, account, all), 2 + 2100 - 2047)
  await compare(store, account, all.filter(id => id % 7 < 3).toReversed())
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('expungeMessages', { account, mailbox, uids: [[1100, 1200]], onlyDeleted: false })
  await store.maintain()
  assert.equal(await compare(store, account, all), 2 + 101 + 2100 - 2047)
  await fill(store, account, 1000)
  assert.equal(await compare(store, account, idsTo(3100)), 2 + 101 + 3100 - 2047)
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
