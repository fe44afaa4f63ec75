// Moves a whole store into another one, whatever their back-ends: every row as it is, every body.
//
// The two are laid side by side, table by table in the order of keys, and what differs is brought over; so a run that was interrupted is simply run again, also
// when the source has changed in between. Then everything is compared once more, each body's hash as well, and only when nothing differs the target may be opened.
import { hash as digest } from 'node:crypto'
import type { AccountId, BlobHash } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { bodyOf } from './bodies/body-of.ts'
import { StoreError } from './error.ts'
import { fillingMark, fillingSql, unfinished } from './filling.ts'
import type { ImportedBody, ImportedRow } from './mutations/import-store.ts'
import type { Reader, SqlValue, Store } from './store.ts'
import { accountTables, serverTables, type TableKey } from './tables.ts'

/** The store that is read; nobody may write it meanwhile. */
export type MoveSource = Pick<Store, 'reader' | 'readBody'>

export interface MoveOptions {
  readonly signal?: AbortSignal | undefined
  /** Called when all is compared, before the target may be opened: throws when the source may have changed meanwhile. */
  readonly beforeEnd?: (() => Promise<void>) | undefined
  /** Called now and then: what is done, of how many rows. */
  readonly onProgress?: ((step: string, done: number, total: number) => void) | undefined
}

export interface MoveReport {
  readonly rows: number
  readonly bodies: number
  readonly bodyBytes: number
  /** Rows and bodies that this run brought over; the others were there from an earlier run. */
  readonly moved: number
}

/** Throws `StoreError`: `exists` when the target holds something else, `corrupt` when a body of the source is damaged or the target is not the same in the end. */
export async function moveStore(
  source: MoveSource,
  target: Store,
  options: MoveOptions = {},
): Promise<MoveReport> {
  const row = await source.reader.get<{ value: string }>(`SELECT value FROM secret WHERE name = 'store-id'`)
  if (!row) throw new StoreError('corrupt', 'the source has no id')
  if (await source.reader.get(fillingSql)) throw unfinished()
  await target.mutate('beginImport', { source: row.value })
  const total = await countRows(source.reader)
  const move = new Move(source, target, options, total)
  await move.bring()
  const report = await move.verify()
  await options.beforeEnd?.()
  await target.mutate('endImport', {})
  return report
}

/** Snapshots are caches, made anew. Bodies are brought by their own way, before anything that refers to them. */
const rowTables: readonly TableKey[] = [...accountTables, ...serverTables].filter(
  ({ table }) => table !== 'snapshot' && table !== 'blob',
)
const bodyColumns = 'account, hash, size_bytes, refs'
const bodyTable: TableKey = { table: 'blob', key: ['account', 'hash'] }

/** Rows that belong to a back-end, not to what is stored. */
function isLocal(table: string, row: ImportedRow): boolean {
  return (
    (table === 'counter' && row['name'] === 'closed') || (table === 'secret' && row['name'] === fillingMark)
  )
}

interface BodyRow {
  readonly account: AccountId
  readonly hash: Uint8Array
  readonly size_bytes: number
  readonly refs: number
}

class Move {
  readonly #source: MoveSource
  readonly #target: Store
  readonly #options: MoveOptions
  readonly #total: number
  #done = 0
  #moved = 0

  constructor(source: MoveSource, target: Store, options: MoveOptions, total: number) {
    this.#source = source
    this.#target = target
    this.#options = options
    this.#total = total
  }

  async bring(): Promise<void> {
    this.#done = 0
    await this.#bringBodies()
    for (const table of rowTables) await this.#bringRows(table)
  }

  /** Throws `StoreError` `corrupt` with the first differences. */
  async verify(): Promise<MoveReport> {
    this.#done = 0
    const differences: string[] = []
    const note = (text: string) => {
      if (differences.length < shownDifferences) differences.push(text)
    }
    const totals = await this.#verifyBodies(note)
    let rows = 0
    for (const table of rowTables) {
      for await (const { kind, row } of this.#compare(table, '*')) {
        if (kind !== 'extra') rows++
        if (kind !== 'same') note(`${table.table} ${describeKey(table, row)}: ${whatIs[kind]}`)
        this.#progress('verifying')
      }
    }
    if (differences.length === 0) return { rows, ...totals, moved: this.#moved }
    throw new StoreError('corrupt', `the two stores differ:\n  ${differences.join('\n  ')}`)
  }

  async #bringRows(table: TableKey): Promise<void> {
    let rows: ImportedRow[] = []
    let gone: ImportedRow[] = []
    const send = async () => {
      if (rows.length + gone.length === 0) return
      await this.#target.mutate('importRows', { table: table.table, rows, gone })
      this.#moved += rows.length
      rows = []
      gone = []
    }
    for await (const { kind, row } of this.#compare(table, '*')) {
      if (kind === 'missing' || kind === 'different') rows.push(row)
      else if (kind === 'extra') gone.push(row)
      if (rows.length + gone.length >= limits.move.rowsPerStep) await send()
      this.#progress('rows')
    }
    await send()
  }

  async #bringBodies(): Promise<void> {
    const steps = new Steps()
    let bodies: ImportedBody[] = []
    let gone: ImportedRow[] = []
    let bytes = 0
    const send = async () => {
      const [nextBodies, nextGone] = [bodies, gone]
      bodies = []
      gone = []
      bytes = 0
      if (nextBodies.length > 0) {
        await steps.add(() => this.#target.mutate('importBodies', { bodies: nextBodies }))
        this.#moved += nextBodies.length
      }
      if (nextGone.length > 0) {
        await steps.add(() => this.#target.mutate('importRows', { table: 'blob', rows: [], gone: nextGone }))
      }
    }
    try {
      for await (const { kind, row } of this.#compare(bodyTable, bodyColumns)) {
        if (kind === 'extra') gone.push(row)
        else if (kind !== 'same') {
          const body = row as unknown as BodyRow
          const content = kind === 'missing' ? await this.#readSource(body) : undefined
          bodies.push({
            account: body.account,
            hash: hexOf(body.hash),
            refs: body.refs,
            body: content && bodyOf(content),
          })
          bytes += content?.length ?? 0
        }
        const isFull = bodies.length + gone.length >= limits.move.bodiesPerStep
        if (isFull || bytes >= limits.move.bodyBytesPerStep) await send()
        this.#progress('bodies')
      }
      await send()
    } finally {
      await steps.end()
    }
  }

  async #readSource({ account, hash, size_bytes }: BodyRow): Promise<Buffer> {
    const bytes = await this.#source.readBody(account, hexOf(hash))
    if (bytes.length === size_bytes && digest('sha256', bytes, 'hex') === hexOf(hash)) return bytes
    throw new StoreError(
      'corrupt',
      `body ${hexOf(hash)} of account ${account} is damaged in the source: restante check tells more`,
    )
  }

  async #verifyBodies(note: (text: string) => void): Promise<{ bodies: number; bodyBytes: number }> {
    const steps = new Steps(limits.move.readsAtOnce)
    let bodies = 0
    let bodyBytes = 0
    try {
      for await (const { kind, row } of this.#compare(bodyTable, bodyColumns)) {
        const { account, hash, size_bytes } = row as unknown as BodyRow
        const name = `body ${hexOf(hash)} of account ${account}`
        if (kind !== 'same') note(`${name}: ${whatIs[kind]}`)
        else {
          bodies++
          bodyBytes += size_bytes
          await steps.add(async () => {
            const problem = await this.#findDamage(account, hexOf(hash))
            if (problem !== undefined) note(`${name}: ${problem}`)
          })
        }
        this.#progress('verifying')
      }
    } finally {
      await steps.end()
    }
    return { bodies, bodyBytes }
  }

  async #findDamage(account: AccountId, hash: BlobHash): Promise<string | undefined> {
    try {
      const bytes = await this.#target.readBody(account, hash)
      return digest('sha256', bytes, 'hex') === hash ? undefined : 'is not what was stored'
    } catch (error) {
      if (error instanceof StoreError && (error.code === 'corrupt' || error.code === 'no-such-body')) {
        return error.message
      }
      throw error
    }
  }

  /** Both tables in the order of their keys, side by side; of rows that are in both, the source's. */
  async *#compare(table: TableKey, columns: string): AsyncGenerator<Compared> {
    const theirs = rowsOf(this.#target.reader, table, columns)
    let next = await theirs.next()
    for await (const row of rowsOf(this.#source.reader, table, columns)) {
      this.#options.signal?.throwIfAborted()
      this.#done++
      while (!next.done && compareKeys(table, next.value, row) < 0) {
        yield { kind: 'extra', row: next.value }
        next = await theirs.next()
      }
      if (next.done || compareKeys(table, next.value, row) > 0) yield { kind: 'missing', row }
      else {
        yield { kind: isSame(next.value, row) ? 'same' : 'different', row }
        next = await theirs.next()
      }
    }
    for (; !next.done; next = await theirs.next()) yield { kind: 'extra', row: next.value }
  }

  #progress(step: string): void {
    this.#options.onProgress?.(step, Math.min(this.#done, this.#total), this.#total)
  }
}

interface Compared {
  readonly kind: 'same' | 'missing' | 'different' | 'extra'
  readonly row: ImportedRow
}

const whatIs = {
  missing: 'is missing in the target',
  different: 'is different in the target',
  extra: 'is in the target alone',
} as const

/** More would not help. */
const shownDifferences = 20

async function* rowsOf(
  reader: Reader,
  { table, key }: TableKey,
  columns: string,
): AsyncGenerator<ImportedRow, undefined> {
  const order = key.join(', ')
  const limit = limits.move.rowsPerRead
  let last: ImportedRow | undefined
  for (;;) {
    const after: readonly SqlValue[] = last ? key.map(column => last?.[column] ?? null) : []
    const where = last ? `WHERE (${order}) > (${key.map(() => '?').join(', ')})` : ''
    const rows = await reader.all<ImportedRow>(
      `SELECT ${columns} FROM ${table} ${where} ORDER BY ${order} LIMIT ?`,
      ...after,
      limit,
    )
    for (const row of rows) if (!isLocal(table, row)) yield row
    last = rows.at(-1)
    if (rows.length < limit) return
    // A source that answers at once would keep everything else from running.
    await new Promise(setImmediate)
  }
}

async function countRows(reader: Reader): Promise<number> {
  let total = 0
  for (const { table } of [bodyTable, ...rowTables]) {
    const row = await reader.get<{ total: number }>(`SELECT count(*) AS total FROM ${table}`)
    total += row?.total ?? 0
  }
  return total
}

function compareKeys({ key }: TableKey, a: ImportedRow, b: ImportedRow): number {
  for (const column of key) {
    const order = compareValues(a[column] ?? null, b[column] ?? null)
    if (order !== 0) return order
  }
  return 0
}

/** As both back-ends order what keys are made of: numbers, and the bytes of texts and of binary values. */
function compareValues(a: SqlValue, b: SqlValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return Buffer.compare(bytesOf(a), bytesOf(b))
}

function isSame(a: ImportedRow, b: ImportedRow): boolean {
  const columns = Object.keys(b)
  return (
    columns.length === Object.keys(a).length && columns.every(column => isSameValue(a[column], b[column]))
  )
}

function isSameValue(a: SqlValue | undefined, b: SqlValue | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || a === null || b === null) return false
  if (typeof a === 'number' || typeof b === 'number') return false
  if (typeof a !== typeof b) return false
  return bytesOf(a).equals(bytesOf(b))
}

/** PostgreSQL's texts have no NUL: U+FFFD stands for it there (`postgres/dialect.ts`), so the two count as the same. */
function bytesOf(value: SqlValue): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return Buffer.from(String(value ?? '').replaceAll('\0', '\ufffd'))
}

function describeKey({ key }: TableKey, row: ImportedRow): string {
  return key
    .map(column => {
      const value = row[column]
      return `${column} ${value instanceof Uint8Array ? hexOf(value) : String(value)}`
    })
    .join(', ')
}

function hexOf(bytes: Uint8Array): BlobHash {
  return Buffer.from(bytes).toString('hex') as BlobHash
}

/** Work of which a few run at once; the first failure is thrown by what follows. */
class Steps {
  readonly #running = new Set<Promise<unknown>>()
  readonly #most: number
  #failure: { readonly error: unknown } | undefined

  constructor(most: number = limits.move.stepsAtOnce) {
    this.#most = most
  }

  async add(step: () => Promise<unknown>): Promise<void> {
    while (this.#running.size >= this.#most) await Promise.race(this.#running)
    if (this.#failure) throw this.#failure.error
    const running: Promise<unknown> = step()
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async end(): Promise<void> {
    await Promise.all(this.#running)
    if (this.#failure) throw this.#failure.error
  }
}
