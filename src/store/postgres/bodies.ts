// Bodies in tables: one of moderate size in its `blob` row, a larger one in rows of `body_chunk`, so that a part is read without the rest.
import { open } from 'node:fs/promises'
import type { AccountId, BlobHash } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { type DataFolder, stagingFile } from '../bodies/data-folder.ts'
import { recordHeaderBytes } from '../bodies/record.ts'
import { StoreError } from '../error.ts'
import { findStorageError } from '../sqlite/storage-error.ts'
import type { BodyRef, Reader } from '../store.ts'
import type { BodyTx, RowBodies } from './row-bodies.ts'

/** What `blob.segment` says here. */
const inRow = 0
const inChunks = 1
/** Anything above is the first number of an object's name in S3 (`object-bodies.ts`). */
export const inTables = inChunks

const insertSql = `INSERT INTO blob (account, hash, segment, position, stored_bytes, size_bytes, compressed, refs, data)
  VALUES (?, ?, ?, 0, ?, ?, 0, 1, ?) ON CONFLICT (account, hash) DO UPDATE SET refs = blob.refs + 1`

export class TableBodies implements RowBodies {
  readonly #folder: DataFolder
  readonly #reader: Reader

  /** `folder` is where large bodies are staged while they arrive. */
  constructor(folder: DataFolder, reader: Reader) {
    this.#folder = folder
    this.#reader = reader
  }

  /** They are rows of the transaction itself. */
  prepare(_bodies: readonly BodyRef[]): undefined {}

  /** Takes one reference for `account`, with the bytes when they are new to it. */
  insert(tx: BodyTx, account: AccountId, body: BodyRef): Promise<void> | undefined {
    if (body.kind === 'staged' || body.bytes.byteLength > limits.postgres.chunkBytes)
      return this.#insertLarge(tx, account, body)
    const hash = Buffer.from(body.hash, 'hex')
    const size = body.bytes.byteLength
    tx.leave(tx.run(insertSql, account, hash, inRow, size, size, body.bytes))
    return undefined
  }
  async read(account: AccountId, hash: BlobHash, start: number, end: number | undefined): Promise<Buffer> {
    const key = Buffer.from(hash, 'hex')
    // Whole bodies are what is mostly asked for, and small ones cost no more whole.
    const first = Math.max(0, start)
    const wanted = end === undefined ? limits.postgres.chunkBytes : Math.max(0, end - first)
    const row = await this.#reader.get<{ segment: number; size: number; data: Buffer | null }>(
      `SELECT segment, size_bytes AS size, substring(data FROM ? FOR ?) AS data FROM blob WHERE account = ? AND hash = ?`,
      Math.min(first, limits.postgres.chunkBytes) + 1,
      Math.min(wanted, limits.postgres.chunkBytes),
      account,
      key,
    )
    if (!row) throw new StoreError('no-such-body', 'the body is gone')
    if (row.segment > inTables)
      throw new StoreError('unavailable', 'the body lies in S3, and the configuration names no bucket')
    const stop = Math.min(end ?? row.size, row.size)
    const from = Math.min(first, stop)
    const bytes =
      row.segment === inRow ? row.data : await this.#readChunks(account, key, from, stop, row.size)
    if (bytes?.length !== stop - from)
      throw new StoreError('corrupt', `body ${hash} of account ${account} is not whole`)
    return bytes
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #insertLarge(tx: BodyTx, account: AccountId, body: BodyRef): Promise<void> {
    const hash = Buffer.from(body.hash, 'hex')
    const size = body.kind === 'inline' ? body.bytes.byteLength : body.sizeBytes
    // Bytes that are there already are not sent.
    const known = await tx.run(
      'UPDATE blob SET refs = refs + 1 WHERE account = ? AND hash = ?',
      account,
      hash,
    )
    if (known > 0) return
    const writes = [tx.run(insertSql, account, hash, inChunks, size, size, null)]
    let chunk = 0
    for await (const data of this.#chunksOf(body)) {
      writes.push(
        tx.run(
          'INSERT INTO body_chunk (account, hash, chunk, data) VALUES (?, ?, ?, ?) ON CONFLICT (account, hash, chunk) DO NOTHING',
          account,
          hash,
          chunk++,
          data,
        ),
      )
      // A few are on their way while the next is read.
      if (writes.length > 4) await writes.shift()
    }
    await Promise.all(writes)
  }

  async #readChunks(
    account: AccountId,
    key: Buffer,
    from: number,
    stop: number,
    size: number,
  ): Promise<Buffer> {
    const { chunkBytes } = limits.postgres
    const result = Buffer.alloc(stop - from)
    if (stop === from) return result
    const last = Math.floor((stop - 1) / chunkBytes)
    let filled = 0
    for (let chunk = Math.floor(from / chunkBytes); chunk <= last; chunk++) {
      const offset = chunk * chunkBytes
      const low = Math.max(from - offset, 0)
      const high = Math.min(stop - offset, chunkBytes, size - offset)
      const row = await this.#reader.get<{ data: Buffer }>(
        'SELECT substring(data FROM ? FOR ?) AS data FROM body_chunk WHERE account = ? AND hash = ? AND chunk = ?',
        low + 1,
        high - low,
        account,
        key,
        chunk,
      )
      filled += row?.data.copy(result, offset + low - from) ?? 0
    }
    return result.subarray(0, filled)
  }

  async *#chunksOf(body: BodyRef): AsyncGenerator<Buffer> {
    const { chunkBytes } = limits.postgres
    if (body.kind === 'inline') {
      const bytes = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength)
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
      return
    }
    try {
      const file = await open(stagingFile(this.#folder, body.file), 'r')
      try {
        for (let at = 0; at < body.sizeBytes; at += chunkBytes) {
          const chunk = Buffer.alloc(Math.min(chunkBytes, body.sizeBytes - at))
          const { bytesRead } = await file.read(chunk, 0, chunk.length, recordHeaderBytes + at)
          if (bytesRead !== chunk.length) throw new StoreError('corrupt', 'a staging file is too short')
          yield chunk
        }
      } finally {
        await file.close()
      }
    } catch (error) {
      throw findStorageError(error) ?? error
    }
  }
}
