// The store that the tests of the protocols run over: in memory, or on PostgreSQL where RESTANTE_TEST_STORE says so (test/postgres/wire-tests.ts).
import { after } from 'node:test'
import { openStore } from '../src/store/open-store.ts'
import type { StoreOptions } from '../src/store/store-options.ts'
import type { Store } from '../src/store/store.ts'
import { createDatabase, type TestDatabase } from './postgres/database.ts'

export const isOnPostgres = process.env['RESTANTE_TEST_STORE'] === 'postgres'

/** Databases whose store is closed: emptying one takes less than making one. */
const free: TestDatabase[] = []
const open = new Set<Store>()

if (isOnPostgres) {
  after(async () => {
    for (const store of open) await store.close()
  })
}

/** An empty store. */
export async function openTestStore(options?: StoreOptions): Promise<Store> {
  if (!isOnPostgres) return openStore({ memory: true }, options)
  const used = free.pop()
  if (used) await empty(used)
  const database = used ?? (await createDatabase())
  // Only a store that maintains fills an index.
  const maintains = options?.searchIndex === true
  const place = { url: database.url, readSessions: 1, writeSessions: 2, maintains }
  const store = await openStore(place, options)
  open.add(store)
  const close = store.close.bind(store)
  store.close = async () => {
    await close()
    if (open.delete(store)) free.push(database)
  }
  return store
}

/** Takes every row, but for the server's own account. */
async function empty({ query }: TestDatabase): Promise<void> {
  const tables = await query(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%schema_version'`,
  )
  const deletes = tables.map(({ name }) => `DELETE FROM "${String(name)}"`)
  await query(
    `${deletes.join(';')}; INSERT INTO account (id, address, display_name, next_uid_validity, created_at) VALUES (0, '', 'the server', 1, 0)`,
  )
}
