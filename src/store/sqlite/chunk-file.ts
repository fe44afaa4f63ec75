// The search index in a SQLite file of its own: search.db beside store.db. A cache, so what does not fit is removed and made again.
import { existsSync, rmSync, statSync } from 'node:fs'
import type { Awaitable } from '../../base/awaitable.ts'
import type { Breathe } from '../../base/breathe.ts'
import { limits } from '../../base/limits.ts'
import type { AccountId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { Lru } from '../../base/lru.ts'
import {
  type ChunkAddress,
  type ChunkEdition,
  type ChunkLevel,
  checked,
  checksumOf,
  decodeHead,
  encodeHead,
  newStamp,
  type PackedChunk,
  type PieceName,
  weightOf,
} from '../search/chunk.ts'
import type { ChunkSource, ChunkStore, StoredChunk } from '../search/chunk-store.ts'
import { Connection } from './connection.ts'

/** Larger with each change of what is in the file, or of how text is read and cut to words. */
const version = 5

const schema = `
CREATE TABLE search_chunk (
  account INTEGER NOT NULL,
  level INTEGER NOT NULL,
  number INTEGER NOT NULL,
  stamp INTEGER NOT NULL,
  head BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (account, level, number)
) WITHOUT ROWID;

CREATE TABLE search_piece (
  account INTEGER NOT NULL,
  level INTEGER NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  stamp INTEGER NOT NULL,
  data BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (account, level, number, name)
);

-- Up to which modSeq emails that are gone have been taken out.
CREATE TABLE search_swept (
  account INTEGER NOT NULL PRIMARY KEY,
  mod_seq INTEGER NOT NULL
);
`

const memoryPath = ':memory:'

interface OpenFile {
  readonly connection: Connection
  readonly inode: number
  readonly heads: KnownHeads
}

/** Reads what the indexer has written. A file that is missing, damaged or of another version holds nothing. */
export class ChunkFileReader implements ChunkSource {
  readonly #path: string
  readonly #storeName: string
  readonly #log: Log
  #open: OpenFile | undefined

  constructor(path: string, storeName: string, log: Log) {
    this.#path = path
    this.#storeName = storeName
    this.#log = log
  }

  chunks(account: AccountId, breathe: Breathe): Awaitable<readonly StoredChunk[]> {
    const listed = this.#read((connection, heads) => heads.list(connection, account))
    if (!listed) return []
    return listed.unread.length === 0 ? listed.chunks : this.#readHeads(account, listed, breathe)
  }

  /** Those of a large account take some time. */
  async #readHeads(
    account: AccountId,
    { heads, version, chunks, unread }: ListedChunks,
    breathe: Breathe,
  ): Promise<readonly StoredChunk[]> {
    const found = [...chunks]
    for (const edition of unread) {
      // The indexer may have put another chunk in its place just now.
      const chunk = this.#read(connection => findChunk(connection, account, edition))
      if (chunk) found.push(chunk)
      const breath = breathe()
      if (breath !== undefined) await breath
    }
    heads.keep(account, version, found)
    return found
  }

  piece(account: AccountId, edition: ChunkEdition, name: PieceName): Uint8Array | undefined {
    return this.#read(connection => readPiece(connection, account, edition, name))
  }

  /** Removes a file in which something is damaged; the indexer, which looks for it, makes another. */
  #discard(): void {
    const inode = this.#open?.inode
    this.close()
    if (inode === undefined || statSync(this.#path, { throwIfNoEntry: false })?.ino !== inode) return
    removeIndex(this.#path)
  }

  close(): void {
    this.#open?.connection.close()
    this.#open = undefined
  }

  #read<T>(section: (connection: Connection, heads: KnownHeads) => T): T | undefined {
    try {
      const open = this.#opened()
      return open && section(open.connection, open.heads)
    } catch (error) {
      // Whatever it is, the messages themselves are at hand.
      this.#log.warn({ err: error as Error }, 'the search index cannot be read; it is made anew')
      this.#discard()
      return undefined
    }
  }

  /** Looks each time whether the indexer has begun another file. */
  #opened(): OpenFile | undefined {
    const inode = statSync(this.#path, { throwIfNoEntry: false })?.ino
    if (this.#open && this.#open.inode === inode) return this.#open
    this.close()
    if (inode === undefined) return undefined
    const connection = openConnection(this.#path, true)
    if (!isIndexOf(connection, this.#storeName)) {
      connection.close()
      return undefined
    }
    this.#open = { connection, inode, heads: new KnownHeads() }
    return this.#open
  }
}

/** The chunks of an account. */
interface ListedChunks {
  /** Where they are to be kept. */
  readonly heads: KnownHeads
  /** Of the file: another one when somebody has written into it. */
  readonly version: number
  /** Whose heads are known. */
  readonly chunks: readonly StoredChunk[]
  readonly unread: readonly ChunkEdition[]
}

/** The heads of chunks as they were read last. An edition never changes. */
class KnownHeads {
  readonly #accounts = new Lru<AccountId, Pick<ListedChunks, 'version' | 'chunks'>>(
    limits.search.headCacheBytes,
  )

  list(connection: Connection, account: AccountId): ListedChunks {
    const version = connection.arrays<[version: number]>('PRAGMA data_version')[0]?.[0] ?? 0
    const known = this.#accounts.get(account)
    if (known?.version === version) return { heads: this, ...known, unread: [] }
    const byStamp = new Map(known?.chunks.map(chunk => [chunk.edition.stamp, chunk]))
    const chunks: StoredChunk[] = []
    const unread: ChunkEdition[] = []
    for (const [level, number, stamp] of connection.arrays<EditionRow>(editionsSql, account)) {
      const chunk = byStamp.get(stamp)
      if (chunk?.edition.level === level && chunk.edition.number === number) chunks.push(chunk)
      else unread.push({ level, number, stamp })
    }
    if (!known || unread.length > 0 || chunks.length < known.chunks.length)
      return { heads: this, version, chunks, unread }
    // Somebody has written of another account.
    this.keep(account, version, known.chunks)
    return { heads: this, version, chunks: known.chunks, unread }
  }

  keep(account: AccountId, version: number, chunks: readonly StoredChunk[]): void {
    const weight = chunks.reduce((sum, { head }) => sum + weightOf(head), 0)
    this.#accounts.set(account, { version, chunks }, weight)
  }
}

/** The indexer's end: makes the file, anew where it does not fit. */
export class ChunkFile implements ChunkStore, ChunkSource {
  readonly isWithEmails = false
  readonly #connection: Connection
  /** Undefined in memory. */
  readonly #file: { readonly path: string; readonly inode: number } | undefined

  private constructor(connection: Connection, path: string) {
    this.#connection = connection
    this.#file = path === memoryPath ? undefined : { path, inode: statSync(path).ino }
  }

  /** False when somebody has removed the file: then nobody sees what is written here. */
  get isCurrent(): boolean {
    const file = this.#file
    return !file || statSync(file.path, { throwIfNoEntry: false })?.ino === file.inode
  }

  /** For the store `storeName`; an index of another one is removed. */
  static open(path: string, storeName: string, log: Log): ChunkFile {
    try {
      const file = new ChunkFile(openConnection(path, false), path)
      if (file.#prepare(storeName)) return file
      file.close()
      log.info({}, 'the search index is of another version or store; it is made anew')
    } catch (error) {
      log.warn({ err: error as Error }, 'the search index is damaged; it is made anew')
    }
    removeIndex(path)
    const file = new ChunkFile(openConnection(path, false), path)
    file.#prepare(storeName)
    return file
  }

  static inMemory(): ChunkFile {
    const file = new ChunkFile(openConnection(memoryPath, false), memoryPath)
    file.#prepare('')
    return file
  }

  chunks(account: AccountId): readonly StoredChunk[] {
    return readChunks(this.#connection, account)
  }

  addresses(account: AccountId): readonly ChunkAddress[] {
    return this.#connection.all('SELECT level, number FROM search_chunk WHERE account = ?', account)
  }

  find(account: AccountId, address: ChunkAddress): StoredChunk | undefined {
    return findChunk(this.#connection, account, address)
  }

  piece(account: AccountId, edition: ChunkEdition, name: PieceName): Uint8Array | undefined {
    return readPiece(this.#connection, account, edition, name)
  }

  put(
    account: AccountId,
    { level, number }: ChunkAddress,
    { head, pieces }: PackedChunk,
    replaces: readonly ChunkAddress[],
  ): void {
    const bytes = encodeHead(head)
    const stamp = newStamp()
    this.#transaction(connection => {
      for (const address of [{ level, number }, ...replaces]) removeChunk(connection, account, address)
      for (const { name, data } of pieces) {
        connection.run(
          'INSERT INTO search_piece (account, level, number, name, stamp, data, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)',
          account,
          level,
          number,
          name,
          stamp,
          data,
          checksumOf(data),
        )
      }
      connection.run(
        'INSERT INTO search_chunk (account, level, number, stamp, head, checksum) VALUES (?, ?, ?, ?, ?, ?)',
        account,
        level,
        number,
        stamp,
        bytes,
        checksumOf(bytes),
      )
    })
  }

  accounts(): readonly { readonly account: AccountId; readonly sweptModSeq: number }[] {
    return this.#connection.all(
      `SELECT account, COALESCE((SELECT mod_seq FROM search_swept WHERE search_swept.account = found.account), 0) AS "sweptModSeq"
       FROM (SELECT DISTINCT account FROM search_chunk) AS found ORDER BY account`,
    )
  }

  swept(account: AccountId, modSeq: number): void {
    this.#connection.run(
      'INSERT INTO search_swept (account, mod_seq) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET mod_seq = excluded.mod_seq',
      account,
      modSeq,
    )
  }

  forget(account: AccountId): void {
    this.#transaction(connection => {
      for (const table of ['search_chunk', 'search_piece', 'search_swept'])
        connection.run(`DELETE FROM ${table} WHERE account = ?`, account)
    })
  }

  close(remove = false): void {
    const isOurs = this.isCurrent
    this.#connection.close()
    if (remove && isOurs && this.#file) removeIndex(this.#file.path)
  }

  /** False when what is there is of another version or store. */
  #prepare(storeName: string): boolean {
    const connection = this.#connection
    const found = versionOf(connection)
    if (found === 0) {
      this.#transaction(() => {
        connection.exec(schema)
        connection.exec('CREATE TABLE search_store (name TEXT NOT NULL)')
        connection.run('INSERT INTO search_store (name) VALUES (?)', storeName)
        connection.exec(`PRAGMA user_version = ${version}`)
      })
      return true
    }
    return isIndexOf(connection, storeName)
  }

  #transaction(section: (connection: Connection) => void): void {
    const connection = this.#connection
    connection.exec('BEGIN IMMEDIATE')
    try {
      section(connection)
      connection.exec('COMMIT')
    } catch (error) {
      if (connection.isTransaction) connection.exec('ROLLBACK')
      throw error
    }
  }
}

/**
 * As it is, for a check: nothing is removed. Undefined where there is no file, or one of another version or store; throws what SQLite says of one that is
 * damaged.
 */
export function openIndexAsItIs(
  path: string,
  storeName: string,
): { readonly source: ChunkSource; close(): void } | undefined {
  if (!existsSync(path)) return undefined
  const connection = openConnection(path, true)
  if (!isIndexOf(connection, storeName)) {
    connection.close()
    return undefined
  }
  const source: ChunkSource = {
    chunks: account => readChunks(connection, account),
    piece: (account, edition, name) => readPiece(connection, account, edition, name),
  }
  return { source, close: () => connection.close() }
}

/** Removes the files of an index. */
function removeIndex(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) rmSync(path + suffix)
  }
}

function openConnection(path: string, readOnly: boolean): Connection {
  const connection = new Connection(path, {
    readOnly,
    timeoutMs: readOnly ? 100 : 5000,
    cacheBytes: limits.search.pageCacheBytes,
  })
  try {
    if (!readOnly) connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

function isIndexOf(connection: Connection, storeName: string): boolean {
  if (versionOf(connection) !== version) return false
  return connection.get<{ name: string }>('SELECT name FROM search_store')?.name === storeName
}

function versionOf(connection: Connection): number {
  return connection.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0
}

const editionsSql = 'SELECT level, number, stamp FROM search_chunk WHERE account = ?'

type EditionRow = readonly [level: ChunkLevel, number: number, stamp: number]

type ChunkRow = readonly [
  level: ChunkLevel,
  number: number,
  stamp: number,
  head: Uint8Array,
  checksum: number,
]

function storedChunk([level, number, stamp, head, checksum]: ChunkRow): StoredChunk {
  return { edition: { level, number, stamp }, head: decodeHead(checked(head, checksum)) }
}

function readChunks(connection: Connection, account: AccountId): readonly StoredChunk[] {
  const rows = connection.arrays<ChunkRow>(
    'SELECT level, number, stamp, head, checksum FROM search_chunk WHERE account = ?',
    account,
  )
  return rows.map(storedChunk)
}

/** Of any edition. */
function findChunk(
  connection: Connection,
  account: AccountId,
  { level, number }: ChunkAddress,
): StoredChunk | undefined {
  const [row] = connection.arrays<ChunkRow>(
    'SELECT level, number, stamp, head, checksum FROM search_chunk WHERE account = ? AND level = ? AND number = ?',
    account,
    level,
    number,
  )
  return row && storedChunk(row)
}

function readPiece(
  connection: Connection,
  account: AccountId,
  { level, number, stamp }: ChunkEdition,
  name: PieceName,
): Uint8Array | undefined {
  const [row] = connection.arrays<[data: Uint8Array, checksum: number]>(
    'SELECT data, checksum FROM search_piece WHERE account = ? AND level = ? AND number = ? AND name = ? AND stamp = ?',
    account,
    level,
    number,
    name,
    stamp,
  )
  return row && checked(...row)
}

function removeChunk(connection: Connection, account: AccountId, { level, number }: ChunkAddress): void {
  for (const table of ['search_chunk', 'search_piece'])
    connection.run(
      `DELETE FROM ${table} WHERE account = ? AND level = ? AND number = ?`,
      account,
      level,
      number,
    )
}
