// Is what the store says true? Every row that belongs to another, every count, every body and its hash. Reads only; the server may run meanwhile.
import { hash as digest } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import type { AccountId, BlobHash } from '../base/ids.ts'
import { type DataFolder, dataFolder, findSegmentNumber, segmentFile } from './bodies/data-folder.ts'
import { recordHeaderBytes } from './bodies/record.ts'
import { SegmentReader } from './bodies/segment-reader.ts'
import { consistencyRules, type RuleRow } from './check-rules.ts'
import { StoreError } from './error.ts'
import { checkIndex, type IndexedStore, indexedAccountsSql } from './search/check-index.ts'
import { readIndexedEmails } from './search/read-email.ts'
import { openIndexAsItIs } from './sqlite/chunk-file.ts'
import { storeIdSql } from './sqlite/chunk-places.ts'
import type { Connection } from './sqlite/connection.ts'
import { schemaVersion } from './sqlite/migrate.ts'
import { openReader } from './sqlite/open-writer.ts'
import { findStorageError } from './sqlite/storage-error.ts'

export interface Finding {
  /** `damage` loses something or shows something wrong; a `leftover` only takes room, and goes by itself. */
  readonly severity: 'damage' | 'leftover'
  /** One of a fixed set of words, such as `body-hash`. */
  readonly kind: string
  /** For a person. */
  readonly detail: string
}

export interface CheckReport {
  readonly findings: readonly Finding[]
  /** More was found than is told. */
  readonly isTruncated: boolean
  readonly accounts: number
  readonly messages: number
  /** Bodies that were read and hashed. */
  readonly bodies: number
}

export interface CheckOptions {
  /** Also read and hash every body; true by default. */
  readonly withBodies?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Called now and then. */
  readonly onProgress?: ((step: string, done: number, total: number) => void) | undefined
  /** Findings that are kept. */
  readonly maxFindings?: number | undefined
}

interface BodyRow {
  readonly account: number
  readonly hash: Uint8Array
  readonly segment: number
  readonly offset: number
  readonly storedBytes: number
  readonly sizeBytes: number
  readonly compressed: number
}

/** Bodies between two looks at the database. */
const bodiesPerStep = 200

/** Throws `StoreError` when there is no store, or one of a newer program. */
export async function checkStore(dataDir: string, options: CheckOptions = {}): Promise<CheckReport> {
  const folder = dataFolder(dataDir)
  if (!existsSync(folder.database)) throw new StoreError('not-found', `there is no store at ${dataDir}`)
  const connection = openReader(folder)
  try {
    return await new Check(folder, connection, options).run()
  } finally {
    connection.close()
  }
}

class Check {
  readonly #folder: DataFolder
  readonly #connection: Connection
  readonly #options: CheckOptions
  readonly #findings: Finding[] = []
  #isTruncated = false

  constructor(folder: DataFolder, connection: Connection, options: CheckOptions) {
    this.#folder = folder
    this.#connection = connection
    this.#options = options
  }

  async run(): Promise<CheckReport> {
    const version = this.#connection.get<{ version: number }>(
      'SELECT max(version) AS version FROM schema_version',
    )
    if (version?.version !== schemaVersion) {
      throw new StoreError(
        'unavailable',
        `the store has schema ${version?.version ?? 0}, this program ${schemaVersion}`,
      )
    }
    const totals = await this.#checkRows()
    const bodies = this.#options.withBodies === false ? 0 : await this.#checkBodies()
    this.#checkFiles()
    await this.#checkIndex()
    return { findings: this.#findings, isTruncated: this.#isTruncated, ...totals, bodies }
  }

  /** All of it on one state of the database. */
  async #checkRows(): Promise<{ accounts: number; messages: number }> {
    const connection = this.#connection
    connection.exec('BEGIN')
    try {
      for (const { integrity_check: line } of connection.all<{ integrity_check: string }>(
        'PRAGMA integrity_check',
      )) {
        if (line !== 'ok') this.#find('damage', 'database', line)
      }
      for (const [index, { kind, severity, sql, describe }] of consistencyRules.entries()) {
        this.#progress('rows', index, consistencyRules.length)
        await this.#turn()
        for (const row of connection.all<RuleRow>(`${sql} LIMIT ?`, this.#room + 1)) {
          this.#find(severity, kind, describe(row))
        }
      }
      const totals = connection.get<{ accounts: number; messages: number }>(
        'SELECT (SELECT count(*) FROM account WHERE id > 0) AS accounts, (SELECT count(*) FROM message) AS messages',
      )
      return totals ?? { accounts: 0, messages: 0 }
    } finally {
      connection.exec('COMMIT')
    }
  }

  /** In the order in which they lie on the disk. Compaction may go on: it moves bodies to segments that come later. */
  async #checkBodies(): Promise<number> {
    const total = this.#connection.get<{ total: number }>('SELECT count(*) AS total FROM blob')?.total ?? 0
    const reader = new SegmentReader(this.#folder)
    let checked = 0
    let seen = 0
    let segment = -1
    let offset = -1
    try {
      for (;;) {
        const rows = this.#connection.all<BodyRow>(
          `SELECT account, hash, segment, position AS "offset", stored_bytes AS "storedBytes", size_bytes AS "sizeBytes", compressed
           FROM blob WHERE (segment, position) > (?, ?) ORDER BY segment, position LIMIT ?`,
          segment,
          offset,
          bodiesPerStep,
        )
        for (const row of rows) {
          seen++
          // Accounts that have the same body share its bytes.
          if (row.segment === segment && row.offset === offset) continue
          segment = row.segment
          offset = row.offset
          await this.#checkBody(reader, row)
          checked++
        }
        if (rows.length < bodiesPerStep) return checked
        this.#progress('bodies', Math.min(seen, total), total)
        await this.#turn()
      }
    } finally {
      reader.close()
    }
  }

  async #checkBody(reader: SegmentReader, row: BodyRow): Promise<void> {
    const hash = Buffer.from(row.hash).toString('hex') as BlobHash
    const place = `body ${hash} of account ${row.account} in segment ${row.segment} at ${row.offset}`
    const hasMoved = () =>
      !this.#connection.get(
        'SELECT 1 FROM blob WHERE account = ? AND hash = ? AND segment = ? AND position = ?',
        row.account,
        row.hash,
        row.segment,
        row.offset,
      )
    try {
      const body = await reader.read(hash, { ...row, compressed: row.compressed !== 0 }, 0, row.sizeBytes)
      if (body === undefined) {
        if (!hasMoved()) this.#find('damage', 'segment-missing', `${place}: there is no such file`)
      } else if (body.length !== row.sizeBytes || digest('sha256', body, 'hex') !== hash) {
        this.#find('damage', 'body-hash', `${place} is not what was stored`)
      }
    } catch (error) {
      if (!hasMoved()) this.#find('damage', 'body-unreadable', `${place}: ${String(error)}`)
    }
  }

  #checkFiles(): void {
    for (const name of readdirSync(this.#folder.segments)) {
      const segment = findSegmentNumber(name)
      if (segment === undefined) {
        this.#find('leftover', 'unknown-file', `segments/${name} is not a segment`)
        continue
      }
      if (this.#connection.get('SELECT 1 FROM blob WHERE segment = ? LIMIT 1', segment)) continue
      const file = statSync(segmentFile(this.#folder, segment), { throwIfNoEntry: false })
      if (file && file.size > recordHeaderBytes) {
        this.#find('leftover', 'unused-segment', `segments/${name} holds no body that is used`)
      }
    }
  }

  /** The search index is a cache, but what it says wrongly a search shows wrongly. */
  async #checkIndex(): Promise<void> {
    const connection = this.#connection
    const reader = new SegmentReader(this.#folder)
    let index: ReturnType<typeof openIndexAsItIs>
    try {
      index = openIndexAsItIs(
        this.#folder.searchIndex,
        connection.get<{ value: string }>(storeIdSql)?.value ?? '',
      )
      if (!index) return
      const store: IndexedStore = {
        source: index.source,
        remedy: 'remove search.db, and it is made again',
        accounts: () => connection.all<{ id: AccountId }>(indexedAccountsSql).map(({ id }) => id),
        emails: (...run) => readIndexedEmails(connection, ...run),
        read: (account, hash) => this.#readBody(reader, account, hash),
        breathe: () => this.#turn(),
      }
      this.#progress('search index', 0, 1)
      await checkIndex(store, this.#options.withBodies !== false, (...finding) => this.#find(...finding))
    } catch (error) {
      if (findStorageError(error)?.code !== 'corrupt') throw error
      this.#find('leftover', 'search-index-broken', 'search.db cannot be read and is made again')
    } finally {
      index?.close()
      reader.close()
    }
  }

  /** Undefined where it is gone, or is not what it should be. */
  async #readBody(reader: SegmentReader, account: AccountId, hash: BlobHash): Promise<Buffer | undefined> {
    const row = this.#connection.get<Omit<BodyRow, 'account' | 'hash'>>(
      `SELECT segment, position AS "offset", stored_bytes AS "storedBytes", size_bytes AS "sizeBytes", compressed
       FROM blob WHERE account = ? AND hash = ?`,
      account,
      Buffer.from(hash, 'hex'),
    )
    if (!row) return undefined
    try {
      return await reader.read(hash, { ...row, compressed: row.compressed !== 0 }, 0, row.sizeBytes)
    } catch {
      // The check of the bodies has told it.
      return undefined
    }
  }

  get #room(): number {
    return (this.#options.maxFindings ?? 1000) - this.#findings.length
  }

  #find(severity: Finding['severity'], kind: string, detail: string): void {
    if (this.#room <= 0) this.#isTruncated = true
    else this.#findings.push({ severity, kind, detail })
  }

  #progress(step: string, done: number, total: number): void {
    this.#options.onProgress?.(step, done, total)
  }

  async #turn(): Promise<void> {
    await new Promise(setImmediate)
    this.#options.signal?.throwIfAborted()
  }
}
