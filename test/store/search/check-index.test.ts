// `restante check` on the search index: what it says of each email is held against the email.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { systemClock } from '../../../src/base/clock.ts'
import { checkStore } from '../../../src/store/check.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { checkDatabase } from '../../../src/store/postgres/check-database.ts'
import { checksumOf } from '../../../src/store/search/chunk.ts'
import type { Store } from '../../../src/store/store.ts'
import { createDatabase } from '../../postgres/database.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from '../fixture.ts'
import { fill } from './numbered-emails.ts'

interface Checked {
  check(withBodies?: boolean): Promise<readonly string[]>
  /** Changes the bytes of pieces, whose checksums then fit. */
  alter(name: string, change: (data: Buffer) => Buffer): Promise<void>
  damage(): Promise<void>
}

/** An account with 200 emails, two large ones and one with much in its header; then the index of them. */
async function fillStore(store: Store): Promise<void> {
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const words = Array.from({ length: 40_000 }, (_, at) => `w${at}ord`).join(' ')
  const fields = Array.from({ length: 600 }, (_, at) => `X-Field-${at}: some value ${at}`)
  const messages = [
    mail(store, words),
    mail(store, 'x'.repeat(1_100_000)),
    mail(store, 'many fields', { fields }),
    mail(store, 'long value', { fields: [`X-Long: ${'long '.repeat(2000)}`, 'Received: from a by b'] }),
  ]
  await store.mutate('appendMessages', { account, mailbox, messages })
  await fill(store, account, 5, 200)
  await store.mutate('expungeMessages', { account, mailbox, uids: [[100, 110]], onlyDeleted: false })
  await store.maintain()
}

const backEnds: readonly (readonly [name: string, make: (t: TestContext) => Promise<Checked>])[] = [
  ['in a file', inFile],
  ['in PostgreSQL', inPostgres],
]

async function inFile(t: TestContext): Promise<Checked> {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir }, { searchIndex: true })
  await fillStore(store)
  await store.close()
  const onFile = (section: (database: DatabaseSync) => void) => {
    const database = new DatabaseSync(join(dataDir, 'search.db'))
    section(database)
    database.close()
  }
  return {
    check: async (withBodies = true) => lines(await checkStore(dataDir, { withBodies })),
    alter: async (name, change) =>
      onFile(database => {
        const update = database.prepare('UPDATE search_piece SET data = ?, checksum = ? WHERE rowid = ?')
        for (const row of database.prepare('SELECT rowid, data FROM search_piece WHERE name = ?').all(name)) {
          const data = change(Buffer.from(row['data'] as Uint8Array))
          update.run(data, checksumOf(data), Number(row['rowid']))
        }
      }),
    damage: async () => onFile(database => database.exec('UPDATE search_piece SET data = zeroblob(9)')),
  }
}

async function inPostgres(t: TestContext): Promise<Checked> {
  const { url, query } = await createDatabase()
  const options = { searchIndex: true, clock: systemClock }
  const store = await openStore({ url, maintains: true }, options)
  t.after(() => store.close())
  await fillStore(store)
  return {
    check: async (withBodies = true) => lines(await checkDatabase({ url }, { withBodies })),
    async alter(name, change) {
      const rows = await query(`SELECT account, level, number, data FROM search_piece WHERE name = '${name}'`)
      for (const { account, level, number, data: before } of rows) {
        const data = change(before as Buffer)
        await query(
          `UPDATE search_piece SET data = '\\x${data.toString('hex')}', checksum = ${checksumOf(data)}
           WHERE account = ${Number(account)} AND level = ${Number(level)} AND number = ${Number(number)} AND name = '${name}'`,
        )
      }
    },
    damage: async () => void (await query(`UPDATE search_piece SET data = '\\x00'`)),
  }
}

function lines({ findings }: Awaited<ReturnType<typeof checkStore>>): readonly string[] {
  return findings.map(({ severity, kind, detail }) => `${severity}: ${kind}: ${detail}`)
}

/** Replaces text by other text of the same length. */
const replace = (from: string, to: string) => (data: Buffer) =>
  Buffer.from(data.toString('latin1').replace(from, to), 'latin1')

for (const [name, make] of backEnds) {
  test(`an index ${name} that says what stands in the emails has no findings`, async t => {
    assert.deepEqual(await (await make(t)).check(), [])
  })

  test(`an index ${name} without a word or a value of an email is damage`, async t => {
    const { check, alter } = await make(t)
    for (const [piece, from, to, email] of [
      ['body', 'BODY77X', 'BODY77Y', 77],
      [':subject', 'subject130z', 'subject13zz', 130],
      ['base_subject', 'subject131z', 'subject13zz', 131],
    ] as const) {
      await alter(piece, replace(from, to))
      const findings = await check()
      await alter(piece, replace(to, from))
      assert.equal(findings.length, 1, findings.join('\n'))
      assert.match(
        findings[0] ?? '',
        new RegExp(
          `^damage: search-index: the search index of account \\d+ does not say what stands in email ${email}: .* made again$`,
        ),
      )
    }
    assert.deepEqual(await check(), [])
  })

  test(`an index ${name} with a wrong zone of an email is damage`, async t => {
    const { check, alter } = await make(t)
    // The columns of a chunk of 64: sent_at, sent_zone_minutes, is_reply. The first chunk has no email 0.
    const zoneAt = 64 * 8 + 7 * 2
    await alter('numbers', data =>
      Buffer.concat([data.subarray(0, zoneAt), Buffer.of(90, 0), data.subarray(zoneAt + 2)]),
    )
    const emails = (await check()).map(finding =>
      Number(/^damage: search-index: .* does not say what stands in email (\d+):/.exec(finding)?.[1]),
    )
    assert.deepEqual(
      emails.sort((a, b) => a - b),
      [7, 71, 135],
    )
  })

  test(`an index ${name} that is broken is a leftover: it is made again`, async t => {
    const { check, damage } = await make(t)
    await damage()
    for (const withBodies of [true, false]) {
      const findings = await check(withBodies)
      assert.ok(findings.length >= 3)
      for (const finding of findings) assert.match(finding, /^leftover: search-index-broken: .* made again$/)
    }
  })
}

test('a search.db that is no database is a leftover, and one of another store is not looked at', async t => {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir }, { searchIndex: true })
  await fillStore(store)
  await store.close()
  const database = new DatabaseSync(join(dataDir, 'search.db'))
  database.exec(`UPDATE search_store SET name = 'another'; UPDATE search_piece SET data = zeroblob(9)`)
  database.close()
  assert.deepEqual(lines(await checkStore(dataDir)), [])
  writeFileSync(join(dataDir, 'search.db'), 'this is no database, whatever its name says. '.repeat(200))
  assert.deepEqual(lines(await checkStore(dataDir)), [
    'leftover: search-index-broken: search.db cannot be read and is made again',
  ])
})
