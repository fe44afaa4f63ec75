// Connections to PostgreSQL that break: nothing acknowledged is lost, nothing is done twice, and reading and changing go on.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { AccountId, MailboxId } from '../../src/base/ids.ts'
import { openStore } from '../../src/store/open-store.ts'
import { checkDatabase } from '../../src/store/postgres/check-database.ts'
import type { Store } from '../../src/store/store.ts'
import { CuttingProxy, type Decide } from '../postgres/cutting-proxy.ts'
import { createDatabase } from '../postgres/database.ts'
import { addAccount, mail, mailboxId } from './fixture.ts'
import { History } from './model-history.ts'

const database = await createDatabase()

interface Opened {
  readonly proxy: CuttingProxy
  readonly store: Store
  readonly account: AccountId
  readonly mailbox: MailboxId
  append(text: string): Promise<unknown>
  /** The count of messages with this text. */
  count(text: string): Promise<number>
}

async function open(t: TestContext): Promise<Opened> {
  const { proxy, url } = await CuttingProxy.start(database.url)
  const store = await openStore({ url })
  t.after(async () => {
    await store.close()
    await proxy.stop()
  })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  return {
    proxy,
    store,
    account,
    mailbox,
    append: text =>
      store.mutate('appendMessages', {
        account,
        mailbox,
        messages: [mail(store, text, { fields: [`Subject: ${text}`] })],
      }),
    async count(text) {
      const row = await store.reader.get<{ total: number }>(
        'SELECT count(*) AS total FROM email WHERE account = ? AND subject = ?',
        account,
        text,
      )
      return row?.total ?? 0
    },
  }
}

/** Cuts once where a chunk of the client's holds `words`. */
function cutOnceAt(words: string, fate: 'cut-before' | 'cut-after'): Decide {
  let isDone = false
  return (from, chunk) => {
    if (isDone || from !== 'client' || !chunk.includes(words)) return 'pass'
    isDone = true
    return fate
  }
}

for (const [fate, what] of [
  ['cut-before', 'before it arrives'],
  ['cut-after', 'before it is answered'],
] as const) {
  test(`a COMMIT whose connection is cut ${what} stores the message once`, async t => {
    const { proxy, append, count } = await open(t)
    await append('first')
    proxy.decide = cutOnceAt('COMMIT\0', fate)
    await append('second')
    assert.equal(proxy.cuts, 1)
    assert.equal(await count('second'), 1)
    await append('third')
    assert.deepEqual([await count('first'), await count('third')], [1, 1])
  })

  test(`a statement whose connection is cut ${what} stores the message once`, async t => {
    const { proxy, append, count } = await open(t)
    proxy.decide = cutOnceAt('first', fate)
    await append('first')
    assert.equal(proxy.cuts, 1)
    assert.equal(await count('first'), 1)
  })
}

test('a server that is away for a while delays reading and changing, and fails neither', async t => {
  const { proxy, store, account, mailbox, append, count } = await open(t)
  await append('before')
  const { open: reopen } = await proxy.shut()
  const during = append('during')
  const snapshot = store.snapshot(account, mailbox)
  await new Promise(setImmediate)
  await reopen()
  await during
  assert.ok((await snapshot).count >= 1)
  assert.equal(await count('during'), 1)
})

test('after a gap in which hints were lost every watcher is told to look', async t => {
  const { proxy, store, account, append } = await open(t)
  await append('first')
  const told = Promise.withResolvers<void>()
  store.watch(account, () => told.resolve())
  proxy.cutAll()
  await told.promise
})

test('a store whose connections break at random moments answers like a naive one', async t => {
  const { proxy, url } = await CuttingProxy.start(database.url)
  t.after(() => proxy.stop())
  let seed = 7
  proxy.decide = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
    const draw = (seed >>> 8) % 200
    if (draw === 0) return 'cut-before'
    return draw === 1 ? 'cut-after' : 'pass'
  }
  await new History(() => openStore({ url }), 33).run(250)
  assert.ok(proxy.cuts > 20, `${proxy.cuts} cuts`)
  assert.deepEqual((await checkDatabase({ url: database.url })).findings, [])
})

/** What the database says to an email with a subject that begins so, at the statement whose answer no mutation waits for. */
async function refuseEmails(t: TestContext): Promise<void> {
  await database.query(`
    CREATE SEQUENCE deadlocks;
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.subject LIKE 'refused%' THEN RAISE EXCEPTION 'this one is refused' USING ERRCODE = '23514'; END IF;
        IF NEW.subject LIKE 'late%' AND nextval('deadlocks') = 1 THEN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END IF;
        RETURN NEW;
      END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON email FOR EACH ROW EXECUTE FUNCTION refuse();`)
  t.after(() => database.query('DROP FUNCTION refuse CASCADE; DROP SEQUENCE deadlocks'))
}

test('a statement that fails behind the commit refuses its mutation, or runs it again, alone and among others', async t => {
  const { store, account, mailbox, append, count } = await open(t)
  await refuseEmails(t)
  await assert.rejects(append('refused alone'), /this one is refused/)
  await append('late alone')
  const outcomes = await Promise.allSettled(
    ['good', 'refused in a group', 'also good'].map(subject => append(subject)),
  )
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  for (const subject of ['late alone', 'good', 'also good']) assert.equal(await count(subject), 1, subject)
  assert.equal((await store.snapshot(account, mailbox)).count, 3)
})
