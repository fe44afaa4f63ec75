// A directory over an empty store in memory, with hashes that cost next to nothing.
import { DatabaseSync } from 'node:sqlite'
import type { z } from 'zod'
import { type AccountConfig, accountConfigSchema } from '../../src/account/config.ts'
import { type Directory, openDirectory } from '../../src/account/directory.ts'
import { mutations } from '../../src/store/mutations.ts'
import { schema1 } from '../../src/store/sqlite/schema-1.ts'
import type { Reader, SqlValue, Store, Tx } from '../../src/store/store.ts'

export type ConfigInput = z.input<typeof accountConfigSchema>

/** Tests need no expensive hashes. */
export function testConfig(input: ConfigInput = {}): AccountConfig {
  return accountConfigSchema.parse({
    ...input,
    addressing: { defaultDomain: 'example.org', ...input.addressing },
    login: { hash: { memoryKib: 8, passes: 1 }, ...input.login },
  })
}

/** The directory has the domain example.org. */
export async function openTestDirectory(input: ConfigInput = {}, now = Date.now): Promise<Directory> {
  const directory = openDirectory(memoryStore(now), testConfig(input))
  await directory.store.mutate('createDomain', { name: 'example.org' })
  return directory
}

function memoryStore(now: () => number): Store {
  const db = new DatabaseSync(':memory:')
  db.exec(schema1)
  const reader: Reader = {
    all: <Row>(sql: string, ...params: readonly SqlValue[]) =>
      db.prepare(sql).all(...params) as unknown as Row[],
    get: <Row>(sql: string, ...params: readonly SqlValue[]) =>
      db.prepare(sql).get(...params) as unknown as Row | undefined,
    arrays: <Row extends readonly unknown[]>(sql: string, ...params: readonly SqlValue[]) => {
      const statement = db.prepare(sql)
      statement.setReturnArrays(true)
      return statement.all(...params) as unknown as Row[]
    },
  }
  let last: Promise<unknown> = Promise.resolve()
  const run = async (name: keyof typeof mutations, args: unknown) => {
    const tx = {
      ...reader,
      nowMs: now(),
      run: (sql: string, ...params: readonly SqlValue[]) => Number(db.prepare(sql).run(...params).changes),
    } as unknown as Tx
    db.exec('BEGIN')
    try {
      const result = await (mutations[name] as (tx: Tx, args: unknown) => Promise<unknown>)(tx, args)
      db.exec('COMMIT')
      return result
    } catch (error) {
      db.exec('ROLLBACK')
      throw error
    }
  }
  return {
    reader,
    mutate: (name: keyof typeof mutations, args: unknown) => {
      const result = last.then(() => run(name, args))
      last = result.catch(() => undefined)
      return result
    },
  } as unknown as Store
}
