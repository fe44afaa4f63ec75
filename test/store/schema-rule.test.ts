// Programs of two versions on one schema: expanded, they work side by side; contracted, the older one refuses.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { silentLog } from '../../src/base/log.ts'
import { migrate as migrateDatabase } from '../../src/store/postgres/migrate.ts'
import { SessionOpener } from '../../src/store/postgres/session-pool.ts'
import { parseTarget } from '../../src/store/postgres/target.ts'
import { openStore } from '../../src/store/open-store.ts'
import { openPostgres } from '../../src/store/postgres/open-postgres.ts'
import type { Schema } from '../../src/store/schema-rule.ts'
import { Connection } from '../../src/store/sqlite/connection.ts'
import { migrate, schema, schemaVersion } from '../../src/store/sqlite/migrate.ts'
import { createDatabase } from '../postgres/database.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from './fixture.ts'

/** What the next version of the program brings. */
const steps = [...schema.steps, `ALTER TABLE mailbox ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'`]
const expanded: Schema = { steps, oldest: schema.oldest }
const contracted: Schema = { steps, oldest: schemaVersion + 1 }

/** A store of this version that the next one has opened meanwhile. */
async function upgradeFolder(t: TestContext, next: Schema): Promise<string> {
  const dataDir = temporaryFolder(t)
  await (await openStore({ dataDir })).close()
  const connection = new Connection(`${dataDir}/store.db`, {
    readOnly: false,
    timeoutMs: 0,
    cacheBytes: 10 ** 6,
  })
  migrate(connection, 0, next)
  connection.close()
  return dataDir
}

async function upgradeDatabase(url: string, next: Schema): Promise<void> {
  const session = await new SessionOpener({ targets: parseTarget(url), log: silentLog }).open()
  await migrateDatabase(session, 0, next)
  await session.close()
}

test('the program before works on a schema that was expanded', async t => {
  const dataDir = await upgradeFolder(t, expanded)
  const store = await openStore({ dataDir })
  t.after(() => store.close())
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
  assert.equal((await store.snapshot(account, mailbox)).count, 1)
})

test('the program before refuses a schema that was contracted, and says which versions they are', async t => {
  const dataDir = await upgradeFolder(t, contracted)
  await assert.rejects(openStore({ dataDir }), {
    code: 'unavailable',
    message: new RegExp(`schema ${schemaVersion + 1}, this program knows ${schemaVersion}`),
  })
})

test('on PostgreSQL a node of the version before runs on while another expands the schema, and starts again beside it', async t => {
  const { url } = await createDatabase()
  const running = await openPostgres({ url })
  t.after(() => running.close())
  const account = await addAccount(running)
  const mailbox = await mailboxId(running, account, 'INBOX')
  await running.mutate('appendMessages', { account, mailbox, messages: [mail(running)] })
  await upgradeDatabase(url, expanded)
  await running.mutate('appendMessages', { account, mailbox, messages: [mail(running)] })
  await running.mutate('createMailbox', { account, name: 'Later' })
  const started = await openPostgres({ url })
  t.after(() => started.close())
  assert.equal((await started.snapshot(account, mailbox)).count, 2)
})

test('on PostgreSQL a node of the version before does not start on a contracted schema', async () => {
  const { url } = await createDatabase()
  await (await openPostgres({ url })).close()
  await upgradeDatabase(url, contracted)
  await assert.rejects(openPostgres({ url }), { code: 'unavailable', message: /newer Restante/ })
})
