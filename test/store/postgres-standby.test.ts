// What is acknowledged is on the synchronous standby.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { openStore } from '../../src/store/open-store.ts'
import { startPostgres, testSettings } from '../postgres/server.ts'

const server = await startPostgres({
  settings: { ...testSettings, wal_level: 'replica', max_wal_senders: '2', synchronous_commit: 'on' },
})
const url = `${server.url}/postgres`
const store = await openStore({ url })
const client = new pg.Client({ connectionString: url })
await client.connect()
/** Its commits tell whether they have to wait. */
const prober = new pg.Client({ connectionString: url })
await prober.connect()
await prober.query('CREATE TABLE probe ()')
after(async () => {
  await setStandby('RESET synchronous_standby_names')
  await store.close()
  await client.end()
  await prober.end()
  await server.stop()
})

/** The session that waits for a standby, once there is one other than `than`; fails when `isAnswered` says that there will be none. */
async function waiting(isAnswered: () => boolean, than?: number): Promise<number> {
  for (;;) {
    assert.equal(isAnswered(), false)
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
    )
    const found = rows.find(({ pid }) => pid !== than)
    if (found) return found.pid
  }
}

async function setStandby(sql: string): Promise<void> {
  await client.query(`ALTER SYSTEM ${sql}`)
  await client.query('SELECT pg_reload_conf()')
}

/** Has commits wait for a standby that never comes. The server takes note of it some time after it was told (its checkpointer does). */
async function expectNobody(): Promise<void> {
  await setStandby(`SET synchronous_standby_names = 'nobody'`)
  for (let waits = false; !waits; ) {
    let isDone = false
    const probing = prober.query('INSERT INTO probe DEFAULT VALUES').then(() => {
      isDone = true
    })
    while (!isDone) {
      const { rows } = await client.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
      )
      for (const { pid } of rows) await client.query(`SELECT pg_cancel_backend(${pid})`)
      waits ||= rows.length > 0
    }
    await probing
  }
}

for (const name of ['a change of the directory', 'a change of an account'] as const) {
  test(`${name} whose wait for the standby is cancelled is acknowledged only when the standby has it`, async () => {
    await expectNobody()
    let isAnswered = false
    const changing = (
      name === 'a change of the directory'
        ? store.mutate('createDomain', { name: 'example.org' })
        : store.mutate('pruneQueue', { finishedBefore: 0, limit: 1 })
    ).then(() => {
      isAnswered = true
    })
    const first = await waiting(() => isAnswered)
    await client.query(`SELECT pg_cancel_backend(${first})`)
    // Its COMMIT was answered; now another one waits, which asks what became of it.
    const second = await waiting(() => isAnswered, first)
    await client.query(`SELECT pg_cancel_backend(${second})`)
    await waiting(() => isAnswered, second)
    await setStandby('RESET synchronous_standby_names')
    await changing
    assert.equal(isAnswered, true)
  })
}
