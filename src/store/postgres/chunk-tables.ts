// The search index in tables: any node reads it, one at a time fills it.
//
// Who fills it holds a lock of the server's as long as its session lives, and writes by that very session: a node that is taken for dead writes no more.
// Each chunk says by which version of the index it was made; a program reads those of its own, and a newer one begins anew.
import type { Breathe } from '../../base/breathe.ts'
import type { AccountId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import { Lru } from '../../base/lru.ts'
import {
  type ChunkAddress,
  type ChunkEdition,
  type ChunkLevel,
  checked,
  checksumOf,
  DamagedChunk,
  decodeHead,
  editionKeyOf,
  encodeHead,
  newStamp,
  type PackedChunk,
  type PieceName,
  weightOf,
} from '../search/chunk.ts'
import type { ChunkSource, ChunkStore, StoredChunk } from '../search/chunk-store.ts'
import type { Reader, SqlValue } from '../store.ts'
import type { Statements } from './dialect.ts'
import type { SessionOpener } from './session-pool.ts'
import type { Session } from './session.ts'

/** Larger with each change of what is in the tables, or of how text is read and cut to words. */
const version = 4

/** Names the lock of the node that fills the index. */
const indexLock = 0x7265_7378
/** The counter that says which version of the index the tables hold. */
const heldVersion = 'search-index'

type HeadRow = readonly [level: ChunkLevel, number: number, stamp: number, head: Uint8Array, checksum: number]
type PieceRow = readonly [data: Uint8Array, checksum: number]

const headSql = `SELECT level, number, stamp, head, checksum FROM search_chunk
  WHERE account = ? AND level = ? AND number = ? AND version = ${version}`
const headsSql = `SELECT level, number, stamp, head, checksum FROM search_chunk WHERE account = ? AND version = ${version}`
const editionsSql = `SELECT level, number, stamp FROM search_chunk WHERE account = ? AND version = ${version}`
const pieceSql =
  'SELECT data, checksum FROM search_piece WHERE account = ? AND level = ? AND number = ? AND name = ? AND stamp = ?'
const isThereSql = 'SELECT 1 FROM search_chunk WHERE account = ? AND level = ? AND number = ? AND stamp = ?'
const removeSql = 'DELETE FROM search_chunk WHERE account = ? AND level = ? AND number = ? AND stamp = ?'

export interface ChunkTablesParts {
  readonly reader: Reader
  readonly log: Log
  /** Runs a statement that changes the index. */
  readonly write: (sql: string, ...params: readonly SqlValue[]) => Promise<void>
  /** A chunk of the account was damaged and is gone: whoever fills the index is to look. */
  readonly onDamage: (account: AccountId) => void
}

/** Reads what some node has written. What is damaged is removed, and searched without it. */
export class ChunkTables implements ChunkSource {
  readonly #parts: ChunkTablesParts
  readonly #heads = new Lru<string, StoredChunk>(limits.search.headCacheBytes)

  constructor(parts: ChunkTablesParts) {
    this.#parts = parts
  }

  async chunks(account: AccountId, breathe: Breathe): Promise<readonly StoredChunk[]> {
    const rows = await this.#parts.reader.arrays<readonly [level: ChunkLevel, number: number, stamp: number]>(
      editionsSql,
      account,
    )
    const found: StoredChunk[] = []
    const unread: ChunkEdition[] = []
    for (const [level, number, stamp] of rows) {
      const edition = { level, number, stamp }
      const known = this.#heads.get(editionKeyOf(account, edition))
      if (known) found.push(known)
      else unread.push(edition)
    }
    if (unread.length === 0) return found
    if (unread.length > limits.search.headsOneByOne) return this.#readAll(account, breathe)
    for (const { level, number } of unread) {
      const [row] = await this.#parts.reader.arrays<HeadRow>(headSql, account, level, number)
      const chunk = row && (await this.#keep(account, row))
      if (chunk) found.push(chunk)
    }
    return found
  }

  async piece(account: AccountId, edition: ChunkEdition, name: PieceName): Promise<Uint8Array | undefined> {
    const { level, number, stamp } = edition
    const [row] = await this.#parts.reader.arrays<PieceRow>(pieceSql, account, level, number, name, stamp)
    const data = row && intact(...row)
    if (data) return data
    // Another chunk may have taken its place meanwhile. A chunk that is there has all its pieces, else it is damaged.
    const [isThere] = await this.#parts.reader.arrays(isThereSql, account, level, number, stamp)
    if (isThere) await this.#discard(account, edition)
    return undefined
  }

  async #readAll(account: AccountId, breathe: Breathe): Promise<readonly StoredChunk[]> {
    const found: StoredChunk[] = []
    for (const row of await this.#parts.reader.arrays<HeadRow>(headsSql, account)) {
      const chunk = await this.#keep(account, row)
      if (chunk) found.push(chunk)
      const breath = breathe()
      if (breath !== undefined) await breath
    }
    return found
  }

  async #keep(account: AccountId, row: HeadRow): Promise<StoredChunk | undefined> {
    const chunk = findChunk(row)
    const [level, number, stamp] = row
    if (!chunk) await this.#discard(account, { level, number, stamp })
    else this.#heads.set(editionKeyOf(account, chunk.edition), chunk, weightOf(chunk.head))
    return chunk
  }

  async #discard(account: AccountId, { level, number, stamp }: ChunkEdition): Promise<void> {
    const { log, write, onDamage } = this.#parts
    log.warn({ account }, 'a part of the search index is damaged; it is made anew')
    try {
      await write(removeSql, account, level, number, stamp)
      onDamage(account)
    } catch (error) {
      // The messages themselves are at hand; the next search finds it again.
      log.warn({ err: error as Error, account }, 'a damaged part of the search index could not be removed')
    }
  }
}

type ReadArrays = <Row extends readonly unknown[]>(
  sql: string,
  ...params: readonly SqlValue[]
) => Promise<readonly Row[]>

/** As they are, for a check: nothing is removed, and what is damaged throws. */
export function chunksAsTheyAre(arrays: ReadArrays): ChunkSource {
  return {
    async chunks(account) {
      const rows = await arrays<HeadRow>(headsSql, account)
      return rows.map(([level, number, stamp, head, checksum]) => ({
        edition: { level, number, stamp },
        head: decodeHead(checked(head, checksum)),
      }))
    },
    async piece(account, { level, number, stamp }, name) {
      const [row] = await arrays<PieceRow>(pieceSql, account, level, number, name, stamp)
      return row && checked(...row)
    },
  }
}

/** The indexer's end, for the one node that has the lock. */
export class ChunkTablesWriter implements ChunkStore {
  readonly isWithEmails = true
  readonly #session: Session
  readonly #statements: Statements

  private constructor(session: Session, statements: Statements) {
    this.#session = session
    this.#statements = statements
  }

  /** Undefined while another node has the lock, and where a newer program has filled the tables. */
  static async open(opener: SessionOpener, statements: Statements): Promise<ChunkTablesWriter | undefined> {
    const session = await opener.open()
    try {
      // A node that vanishes without a word is to lose its lock soon.
      const { rows } =
        await session.exec(`SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
        SELECT pg_try_advisory_lock(${indexLock}) AS taken`)
      const writer = new ChunkTablesWriter(session, statements)
      if (Number(rows[0]?.['taken']) === 1 && (await writer.#prepare())) return writer
    } catch (error) {
      await session.close()
      throw error
    }
    await session.close()
    return undefined
  }

  get isCurrent(): boolean {
    return !this.#session.isEnded
  }

  addresses(account: AccountId): Promise<readonly ChunkAddress[]> {
    return this.#all<ChunkAddress>('SELECT level, number FROM search_chunk WHERE account = ?', account)
  }

  async find(account: AccountId, address: ChunkAddress): Promise<StoredChunk | undefined> {
    const { level, number } = address
    const [row] = await this.#arrays<HeadRow>(headSql, account, level, number)
    if (!row) return undefined
    const chunk = findChunk(row)
    if (!chunk) await this.#all(removeSql, account, level, number, row[2])
    return chunk
  }

  async piece(account: AccountId, edition: ChunkEdition, name: PieceName): Promise<Uint8Array | undefined> {
    const { level, number, stamp } = edition
    const [row] = await this.#arrays<PieceRow>(pieceSql, account, level, number, name, stamp)
    const data = row && intact(...row)
    // Nobody else writes: it is damaged.
    if (!data) await this.#all(removeSql, account, level, number, stamp)
    return data
  }

  put(
    account: AccountId,
    { level, number }: ChunkAddress,
    { head, pieces }: PackedChunk,
    replaces: readonly ChunkAddress[],
  ): Promise<void> {
    const bytes = encodeHead(head)
    const stamp = newStamp()
    return this.#transaction([
      ...[{ level, number }, ...replaces].map(
        address =>
          [
            'DELETE FROM search_chunk WHERE account = ? AND level = ? AND number = ?',
            account,
            address.level,
            address.number,
          ] as const,
      ),
      [
        `INSERT INTO search_chunk (account, level, number, stamp, version, head, checksum) VALUES (?, ?, ?, ?, ${version}, ?, ?)`,
        account,
        level,
        number,
        stamp,
        bytes,
        checksumOf(bytes),
      ],
      ...pieces.map(
        ({ name, data }) =>
          [
            'INSERT INTO search_piece (account, level, number, name, stamp, data, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)',
            account,
            level,
            number,
            name,
            stamp,
            data,
            checksumOf(data),
          ] as const,
      ),
    ])
  }

  accounts(): Promise<readonly { readonly account: AccountId; readonly sweptModSeq: number }[]> {
    return this.#all(
      `SELECT account, COALESCE((SELECT mod_seq FROM search_swept WHERE search_swept.account = found.account), 0) AS "sweptModSeq"
       FROM (SELECT DISTINCT account FROM search_chunk) AS found ORDER BY account`,
    )
  }

  async swept(account: AccountId, modSeq: number): Promise<void> {
    await this.#all(
      'INSERT INTO search_swept (account, mod_seq) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET mod_seq = excluded.mod_seq',
      account,
      modSeq,
    )
  }

  forget(account: AccountId): Promise<void> {
    return this.#transaction([
      ['DELETE FROM search_chunk WHERE account = ?', account],
      ['DELETE FROM search_swept WHERE account = ?', account],
    ])
  }

  /** What was damaged is removed already. With the session its lock ends. */
  close(): Promise<void> {
    return this.#session.close()
  }

  /** Makes the tables those of this version; false when they are a newer program's. */
  async #prepare(): Promise<boolean> {
    const [row] = await this.#all<{ value: number }>('SELECT value FROM counter WHERE name = ?', heldVersion)
    const held = row?.value ?? 0
    if (held >= version) return held === version
    await this.#transaction([
      ['TRUNCATE search_chunk, search_piece, search_swept'],
      [
        'INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        heldVersion,
        version,
      ],
    ])
    return true
  }

  async #all<Row>(sql: string, ...params: readonly SqlValue[]): Promise<readonly Row[]> {
    return (await this.#session.query<Row>(this.#statements.get(sql), params)).rows
  }

  async #arrays<Row extends readonly unknown[]>(
    sql: string,
    ...params: readonly SqlValue[]
  ): Promise<readonly Row[]> {
    return (await this.#session.query<Row>(this.#statements.get(sql), params, 'array')).rows
  }

  /** All of it goes out at once; what follows a failure is not run, COMMIT neither. */
  async #transaction(
    statements: readonly (readonly [sql: string, ...params: readonly SqlValue[]])[],
  ): Promise<void> {
    const session = this.#session
    const answers = await Promise.allSettled([
      session.begin(),
      ...statements.map(([sql, ...params]) => session.query(this.#statements.get(sql), params)),
      session.commit(),
    ])
    const failed = answers.find(answer => answer.status === 'rejected')
    if (!failed) return
    if (!session.isEnded) await session.rollBack()
    throw failed.reason
  }
}

/** Undefined when it is damaged. */
function findChunk([level, number, stamp, head, checksum]: HeadRow): StoredChunk | undefined {
  const bytes = intact(head, checksum)
  return bytes && { edition: { level, number, stamp }, head: decodeHead(bytes) }
}

function intact(bytes: Uint8Array, checksum: number): Uint8Array | undefined {
  try {
    return checked(bytes, checksum)
  } catch (error) {
    if (error instanceof DamagedChunk) return undefined
    throw error
  }
}
