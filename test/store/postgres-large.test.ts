// What goes and comes in a mailbox on PostgreSQL is laid over its picture bit by bit. Here every mailbox counts as a large one, in a process of its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { openStore } from '../../src/store/open-store.ts'
import { checkDatabase } from '../../src/store/postgres/check-database.ts'
import { createDatabase } from '../postgres/database.ts'
import { History } from './model-history.ts'

type Writable<T> = { -readonly [Key in keyof T]: number }

const store: Writable<typeof limits.store> = limits.store
store.rowsAtOnce = 3

test('a store on PostgreSQL whose mailboxes are copied bit by bit answers like a naive one', async () => {
  const { url } = await createDatabase()
  await new History(() => openStore({ url }), 34).run(250)
  assert.deepEqual((await checkDatabase({ url })).findings, [])
})
