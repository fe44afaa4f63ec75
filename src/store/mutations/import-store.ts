// What fills a store with the rows and bodies of another one (`move-store.ts`), in steps that may be repeated.
import type { AccountId, BlobHash } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import { fillingMark, fillingSql } from '../filling.ts'
import type { BodyRef, SqlValue, Tx } from '../store.ts'
import { accountTables, serverTables } from '../tables.ts'
import { queueIdGap, serverAccount } from './enqueue-messages.ts'

export interface BeginImport {
  /** The id of the store whose rows come. */
  readonly source: string
}

/** Marks the store as one that is being filled, so that nobody opens it for anything else. Throws `exists` when it holds something already. */
export async function beginImport(tx: Tx, { source }: BeginImport): Promise<void> {
  const mark = await tx.get<{ value: string }>(fillingSql)
  if (mark?.value === source) return
  if (mark) throw new StoreError('exists', 'the target is being filled from another store')
  for (const table of ['account', 'domain', 'queue_message']) {
    const found = await tx.get(`SELECT 1 FROM ${table}${table === 'account' ? ' WHERE id > 0' : ''} LIMIT 1`)
    if (found) throw new StoreError('exists', `the target holds something already (${table})`)
  }
  await tx.run(`INSERT INTO secret (name, value) VALUES ('${fillingMark}', ?)`, source)
}

export type ImportedRow = Readonly<Record<string, SqlValue>>

export interface ImportRows {
  readonly table: string
  /** Whole rows: new ones, and those that are different. */
  readonly rows: readonly ImportedRow[]
  /** Keys of rows that the other store does not have. */
  readonly gone: readonly ImportedRow[]
}

export async function importRows(tx: Tx, { table, rows, gone }: ImportRows): Promise<void> {
  const key = keyOf(table)
  await mustBeFilling(tx)
  const removals = gone.map(async row =>
    tx.run(
      `DELETE FROM ${table} WHERE ${key.map(column => `${column} = ?`).join(' AND ')}`,
      ...key.map(column => valueOf(row, column)),
    ),
  )
  await Promise.all(removals)
  await Promise.all(rows.map(async row => upsert(tx, table, key, row)))
}

function upsert(tx: Tx, table: string, key: readonly string[], row: ImportedRow): Promise<number> | number {
  const columns = Object.keys(row)
  if (!columns.every(column => /^[a-z][a-z0-9_]{0,62}$/.test(column)))
    throw new Error('not the name of a column')
  const others = columns.filter(column => !key.includes(column))
  const update =
    others.length === 0
      ? 'DO NOTHING'
      : `DO UPDATE SET ${others.map(column => `${column} = excluded.${column}`).join(', ')}`
  return tx.run(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
     ON CONFLICT (${key.join(', ')}) ${update}`,
    ...columns.map(column => valueOf(row, column)),
  )
}

export interface ImportedBody {
  readonly account: AccountId
  readonly hash: BlobHash
  readonly refs: number
  /** Undefined where the bytes are there and only the count of references differs. */
  readonly body?: BodyRef | undefined
}

export interface ImportBodies {
  readonly bodies: readonly ImportedBody[]
}

export async function importBodies(tx: Tx, { bodies }: ImportBodies): Promise<void> {
  await mustBeFilling(tx)
  await Promise.all(
    bodies.map(async ({ account, hash, refs, body }) => {
      if (body) await tx.takeBody(account, body)
      await tx.run(
        'UPDATE blob SET refs = ? WHERE account = ? AND hash = ?',
        refs,
        account,
        Buffer.from(hash, 'hex'),
      )
    }),
  )
}

/** The store is whole: from now on it may be opened. */
export async function endImport(tx: Tx, _args: Readonly<Record<string, never>>): Promise<void> {
  await mustBeFilling(tx)
  await passQueueIds(tx)
  await tx.run(`DELETE FROM secret WHERE name = '${fillingMark}'`)
}

/** Numbers of the queue's messages come from another place than they did in the other store, and are never given twice. */
async function passQueueIds(tx: Tx): Promise<void> {
  if (tx.queueIds) await tx.queueIds.raise()
  else
    await tx.run(
      `UPDATE account SET mod_seq = ${queueIdGap} + (SELECT max(id) FROM queue_message)
       WHERE id = ? AND mod_seq < (SELECT max(id) FROM queue_message)`,
      serverAccount,
    )
}

async function mustBeFilling(tx: Tx): Promise<void> {
  if (await tx.get(fillingSql)) return
  throw new StoreError('not-found', 'this store is not being filled')
}

function keyOf(table: string): readonly string[] {
  const found = [...accountTables, ...serverTables].find(each => each.table === table)
  if (!found) throw new Error(`no such table: ${table}`)
  return found.key
}

function valueOf(row: ImportedRow, column: string): SqlValue {
  const value = row[column]
  if (value === undefined) throw new Error(`the row has no ${column}`)
  return value
}
