// restante migrate, as it is called.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { runCli } from '../../src/cli/program.ts'
import { openStore } from '../../src/store/open-store.ts'
import { openPostgres } from '../../src/store/postgres/open-postgres.ts'
import { createDatabase } from '../postgres/database.ts'
import { fillVaried } from '../store/varied-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'restante-migrate-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const database = await createDatabase()
const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
const secretUrl = database.url.replace(/^postgres:\/\/([^@:]+)(:[^@]*)?@/, 'postgres://$1:word@')

async function cli(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const code = await runCli(['migrate', ...args], {
    stdin: Readable.from([]),
    isInteractive: false,
    isTty: true,
    columns: 100,
    out: text => (out += text),
    err: text => (err += text),
    env: {},
    cwd: folder,
  })
  return { code, out, err }
}

test('a store goes to PostgreSQL and back by the command, which shows how far it is', async () => {
  const store = await openStore({ dataDir: join(folder, 'old') })
  await fillVaried(store, 20)
  const busy = await cli('--data', 'old', '--to', secretUrl)
  assert.equal(busy.code, 1)
  assert.match(busy.err, /is in use/)
  await store.close()

  const there = await cli('--data', 'old', '--to', secretUrl)
  assert.equal(there.code, 0, there.err)
  assert.match(there.err, /moving \[#*\.*\] bodies, \d+ of \d+/)
  assert.match(there.out, /^moved to postgres:.*: \d+ rows and \d+ bodies \(.*\), each of them compared/)
  assert.doesNotMatch(there.out, /:word@/)

  writeFileSync(join(folder, 'server.toml'), `dataDir = "old"\n[store]\nurl = "${database.url}"\n`)
  writeFileSync(join(folder, 'back.toml'), `dataDir = "new"\n`)
  const back = await cli('--config', 'server.toml', '--to-config', 'back.toml', '--json')
  assert.equal(back.code, 0, back.err)
  const report = JSON.parse(back.out) as { rows: number; bodies: number; moved: number }
  assert.ok(report.rows > 100 && report.bodies > 20 && report.moved > 100)

  const again = await cli('--config', 'server.toml', '--to', 'new')
  assert.equal(again.code, 1)
  assert.match(again.err, /holds something already/)
})

test('while it runs no node changes the database', async () => {
  const { lockDatabase } = await import('../../src/store/postgres/lock-database.ts')
  const { silentLog } = await import('../../src/base/log.ts')
  const node = await openPostgres({ url: database.url })
  const lock = await lockDatabase({ url: database.url }, silentLog)
  const rows = await database.query(
    `SELECT count(*) AS total FROM pg_locks WHERE mode = 'ShareLock' AND granted AND relation = 'account'::regclass`,
  )
  assert.equal(Number(rows[0]?.['total']), 1)
  let isMade = false
  const change = node.mutate('createSecret', { name: 'late', value: '' }).then(() => {
    isMade = true
  })
  // It has come to wait for the lock.
  for (;;) {
    const waiting = await database.query('SELECT count(*) AS total FROM pg_locks WHERE NOT granted')
    if (Number(waiting[0]?.['total']) > 0) break
  }
  await lock.mustHold()
  assert.equal(isMade, false)
  await lock.release()
  await change
  await node.close()
  await assert.rejects(lock.mustHold(), { code: 'unavailable' })
})

test('where to has to be said, once, and is not where it is', async () => {
  assert.equal((await cli('--data', 'old')).code, 2)
  assert.equal((await cli('--data', 'old', '--to', 'x', '--to-config', 'y')).code, 2)
  assert.equal((await cli('--data', 'old', '--to', 'mysql://localhost/mail')).code, 2)
  const same = await cli('--data', 'old', '--to', './old')
  assert.equal(same.code, 1)
  assert.match(same.err, /where the store is already/)
  const none = await cli('--data', 'nothing', '--to', 'x')
  assert.match(none.err, /there is no store at/)
})

test('a store whose server did not end in order is refused until it has', async () => {
  const store = await openStore({ dataDir: join(folder, 'unclean') })
  await store.close()
  const connection = new DatabaseSync(join(folder, 'unclean', 'store.db'))
  connection.exec(`UPDATE counter SET value = 0 WHERE name = 'closed'`)
  connection.close()
  const { code, err } = await cli('--data', 'unclean', '--to', 'nowhere')
  assert.equal(code, 1)
  assert.match(err, /did not end in order/)
})

test('killed with SIGKILL at any point, it goes on when it is run again', async () => {
  const store = await openStore({ dataDir: join(folder, 'large') })
  await fillVaried(store, 150)
  const before = await store.reader.all('SELECT * FROM message ORDER BY account, mailbox, uid')
  await store.close()
  const target = await createDatabase()
  const rowsIn = async (table: string) => {
    const found = await target.query(`SELECT to_regclass('${table}') IS NOT NULL AS there`)
    if (found[0]?.['there'] !== true) return 0
    return Number((await target.query(`SELECT count(*) AS total FROM ${table}`))[0]?.['total'])
  }
  for (const [table, rows] of [
    ['blob', 1],
    ['blob', 100],
    ['message', 1],
  ] as const) {
    const args = ['migrate', '--data', join(folder, 'large'), '--to', target.url]
    const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' })
    const ended = once(child, 'exit')
    while (child.exitCode === null && (await rowsIn(table)) < rows) await setImmediate()
    child.kill('SIGKILL')
    await ended
  }
  const last = await cli('--data', 'large', '--to', target.url)
  assert.equal(last.code, 0, last.err)
  const moved = await openPostgres({ url: target.url })
  const found = await moved.reader.all('SELECT * FROM message ORDER BY account, mailbox, uid')
  await moved.close()
  assert.deepEqual(
    found.map(row => ({ ...(row as object) })),
    before.map(row => ({ ...(row as object) })),
  )
})
