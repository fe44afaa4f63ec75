// Whether a store on PostgreSQL is whole: what must hold between its rows, and every body against its hash. Reads only, also beside running servers.
import { createHash } from 'node:crypto'
import { limits } from '../../base/limits.ts'
import { silentLog } from '../../base/log.ts'
import type { CheckOptions, CheckReport, Finding } from '../check.ts'
import { consistencyRules, type RuleRow } from '../check-rules.ts'
import { StoreError } from '../error.ts'
import { schemaVersion } from '../sqlite/migrate.ts'
import { S3Client } from '../s3/client.ts'
import { S3Error } from '../s3/error.ts'
import { objectName } from '../s3/object-name.ts'
import type { SqlValue } from '../store.ts'
import type { AccountId } from '../../base/ids.ts'
import { checkIndex, type IndexedStore, indexedAccountsSql } from '../search/check-index.ts'
import { readIndexedEmails } from '../search/read-email.ts'
import { inTables } from './bodies.ts'
import { chunksAsTheyAre } from './chunk-tables.ts'
import { Statements } from './dialect.ts'
import type { PostgresPlace } from './place.ts'
import { findServerError } from './server-error.ts'
import type { Session } from './session.ts'
import { SessionOpener } from './session-pool.ts'
import { parseTarget } from './target.ts'

interface BodyRow {
  readonly account: number
  readonly hash: Buffer
  readonly size: number
  readonly segment: number
  readonly offset: number
  readonly data: Buffer | null
}

/** Bodies that are read at a time. */
const bodiesPerStep = 50

/** Throws `StoreError` when there is no store, or one of another version. */
export async function checkDatabase(
  place: Pick<PostgresPlace, 'url' | 'tls' | 'bucket'>,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const opener = new SessionOpener({ targets: parseTarget(place.url, place.tls), log: silentLog })
  const objects = place.bucket && new S3Client(place.bucket)
  try {
    const session = await opener.open()
    try {
      return await new DatabaseCheck(session, objects, options).run()
    } finally {
      await session.close()
    }
  } catch (error) {
    if (error instanceof S3Error) throw new StoreError('unavailable', error.message, { cause: error })
    throw findServerError(error) ?? error
  } finally {
    objects?.close()
  }
}

class DatabaseCheck {
  readonly #session: Session
  readonly #objects: S3Client | undefined
  readonly #statements = new Statements()
  readonly #options: CheckOptions
  readonly #findings: Finding[] = []
  #isTruncated = false

  constructor(session: Session, objects: S3Client | undefined, options: CheckOptions) {
    this.#session = session
    this.#objects = objects
    this.#options = options
  }

  async run(): Promise<CheckReport> {
    // It goes over whole tables, for as long as that takes.
    await this.#session.exec('SET enable_seqscan = on; SET statement_timeout = 0; SET plan_cache_mode = auto')
    await this.#checkVersion()
    const totals = await this.#checkRows()
    const bodies = this.#options.withBodies === false ? 0 : await this.#checkBodies()
    await this.#checkIndex()
    return { findings: this.#findings, isTruncated: this.#isTruncated, ...totals, bodies }
  }

  async #checkVersion(): Promise<void> {
    const [known] = await this.#rows(`SELECT to_regclass('schema_version') IS NOT NULL AS known`)
    if (known?.['known'] !== 1) throw new StoreError('not-found', 'the database holds no store')
    const [found] = await this.#rows('SELECT max(version) AS version FROM schema_version')
    if (found?.['version'] !== schemaVersion) {
      throw new StoreError(
        'unavailable',
        `the store has schema ${String(found?.['version'] ?? 0)}, this program ${schemaVersion}`,
      )
    }
  }

  /** All of it on one state of the database. */
  async #checkRows(): Promise<{ accounts: number; messages: number }> {
    await this.#session.exec('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    try {
      for (const [index, { kind, severity, sql, describe }] of consistencyRules.entries()) {
        this.#options.onProgress?.('rows', index, consistencyRules.length)
        this.#options.signal?.throwIfAborted()
        for (const row of await this.#rows(`${sql} LIMIT ?`, this.#room + 1))
          this.#find(severity, kind, describe(row))
      }
      const [totals] = await this.#rows(
        'SELECT (SELECT count(*) FROM account WHERE id > 0) AS accounts, (SELECT count(*) FROM message) AS messages',
      )
      return { accounts: Number(totals?.['accounts']), messages: Number(totals?.['messages']) }
    } finally {
      if (!this.#session.isEnded) await this.#session.exec('COMMIT')
    }
  }

  async #checkBodies(): Promise<number> {
    const total = Number((await this.#rows('SELECT count(*) AS total FROM blob'))[0]?.['total'])
    let checked = 0
    let last: readonly [account: number, hash: Buffer] = [-1, Buffer.alloc(0)]
    for (;;) {
      const { rows } = await this.#session.query<BodyRow>(
        this.#statements.get(
          `SELECT account, hash, size_bytes AS size, segment, position AS "offset", data FROM blob WHERE (account, hash) > (?, ?) ORDER BY account, hash LIMIT ?`,
        ),
        [...last, bodiesPerStep],
      )
      const inBucket = rows.filter(({ segment }) => segment > inTables)
      for (const row of rows) if (row.segment <= inTables) await this.#checkBody(row)
      await Promise.all(inBucket.map(row => this.#checkObject(row)))
      checked += rows.length
      const end = rows.at(-1)
      if (!end || rows.length < bodiesPerStep) return checked
      last = [end.account, end.hash]
      this.#options.onProgress?.('bodies', Math.min(checked, total), total)
      this.#options.signal?.throwIfAborted()
    }
  }

  async #checkBody(row: BodyRow): Promise<void> {
    const digest = createHash('sha256')
    let length = 0
    for await (const bytes of this.#piecesOf(row)) {
      digest.update(bytes)
      length += bytes.length
    }
    if (length === row.size && digest.digest().equals(row.hash)) return
    await this.#findBody(row.account, row.hash, 'body-hash', 'is not what was stored')
  }

  /** Of a body in tables. */
  async *#piecesOf({ account, hash, data }: BodyRow): AsyncGenerator<Buffer> {
    if (data) {
      yield data
      return
    }
    for (let chunk = 0; ; chunk++) {
      const { rows } = await this.#session.query<{ data: Buffer }>(
        this.#statements.get('SELECT data FROM body_chunk WHERE account = ? AND hash = ? AND chunk = ?'),
        [account, hash, chunk],
      )
      if (!rows[0]) return
      yield rows[0].data
    }
  }

  async #checkObject(row: BodyRow): Promise<void> {
    const { account, hash } = row
    const digest = createHash('sha256')
    for await (const bytes of this.#piecesOfObject(row)) {
      if (!bytes) return this.#findBody(account, hash, 'object-missing', `is not in S3 as ${objectName(row)}`)
      digest.update(bytes)
    }
    if (!digest.digest().equals(hash))
      await this.#findBody(account, hash, 'body-hash', `is not what was stored, in S3 as ${objectName(row)}`)
  }

  /** Past the cache of the node; undefined where it is missing. */
  async *#piecesOfObject(row: BodyRow): AsyncGenerator<Buffer | undefined> {
    if (!this.#objects)
      throw new StoreError('unavailable', 'bodies lie in S3, and the configuration names no bucket')
    const name = objectName(row)
    for (let start = 0; start < row.size; start += limits.s3.pieceBytes)
      yield await this.#objects.get(name, start, Math.min(start + limits.s3.pieceBytes, row.size))
  }

  /** The search index is a cache, but what it says wrongly a search shows wrongly. */
  async #checkIndex(): Promise<void> {
    const arrays = <Row extends readonly unknown[]>(sql: string, ...params: readonly SqlValue[]) =>
      this.#arrays<Row>(sql, ...params)
    const store: IndexedStore = {
      source: chunksAsTheyAre(arrays),
      remedy: 'delete its rows of search_chunk, and it is made again',
      accounts: async () => (await this.#arrays<[id: AccountId]>(indexedAccountsSql)).map(([id]) => id),
      emails: (...run) => readIndexedEmails({ arrays }, ...run),
      read: (account, hash) => this.#readBody(account, Buffer.from(hash, 'hex')),
      breathe: async () => this.#options.signal?.throwIfAborted(),
    }
    this.#options.onProgress?.('search index', 0, 1)
    await checkIndex(store, this.#options.withBodies !== false, (...finding) => this.#find(...finding))
  }

  /** Undefined where it is gone, or is not what it should be: the check of the bodies has told it. */
  async #readBody(account: AccountId, hash: Buffer): Promise<Buffer | undefined> {
    const { rows } = await this.#session.query<BodyRow>(
      this.#statements.get(
        'SELECT account, hash, size_bytes AS size, segment, position AS "offset", data FROM blob WHERE account = ? AND hash = ?',
      ),
      [account, hash],
    )
    const [row] = rows
    if (!row) return undefined
    const pieces: Buffer[] = []
    for await (const bytes of row.segment > inTables ? this.#piecesOfObject(row) : this.#piecesOf(row)) {
      if (!bytes) return undefined
      pieces.push(bytes)
    }
    const body = Buffer.concat(pieces)
    return body.length === row.size ? body : undefined
  }

  async #findBody(account: number, hash: Buffer, kind: string, what: string): Promise<void> {
    // It may have been let go of since it was asked for.
    const { rows } = await this.#session.query(
      this.#statements.get('SELECT 1 FROM blob WHERE account = ? AND hash = ?'),
      [account, hash],
    )
    if (rows.length > 0)
      this.#find('damage', kind, `body ${hash.toString('hex')} of account ${account} ${what}`)
  }

  async #arrays<Row extends readonly unknown[]>(
    sql: string,
    ...params: readonly SqlValue[]
  ): Promise<readonly Row[]> {
    return (await this.#session.query<Row>(this.#statements.get(sql), params, 'array')).rows
  }

  async #rows(sql: string, ...params: readonly SqlValue[]): Promise<readonly RuleRow[]> {
    return (await this.#session.query<RuleRow>(this.#statements.get(sql), params)).rows
  }

  get #room(): number {
    return (this.#options.maxFindings ?? 1000) - this.#findings.length
  }

  #find(severity: Finding['severity'], kind: string, detail: string): void {
    if (this.#room <= 0) this.#isTruncated = true
    else this.#findings.push({ severity, kind, detail })
  }
}
