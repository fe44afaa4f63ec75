// Bodies in S3, their rows in PostgreSQL. Those that came before the bucket was configured stay in tables, and are read there.
import type { AccountId, BlobHash } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { S3Bodies } from '../s3/s3-bodies.ts'
import type { BodyRef, Reader } from '../store.ts'
import { inTables, type TableBodies } from './bodies.ts'
import type { BodyTx, RowBodies } from './row-bodies.ts'

/** How often a place is looked up whose object is not there: its row may have gone and come back meanwhile. */
const attempts = 2

export class ObjectBodies implements RowBodies {
  readonly #objects: S3Bodies
  readonly #tables: TableBodies
  readonly #reader: Reader

  constructor(objects: S3Bodies, tables: TableBodies, reader: Reader) {
    this.#objects = objects
    this.#tables = tables
    this.#reader = reader
  }

  prepare(bodies: readonly BodyRef[]): Promise<() => void> | undefined {
    return bodies.length === 0 ? undefined : this.#objects.upload(bodies)
  }

  insert(tx: BodyTx, account: AccountId, body: BodyRef): undefined {
    const { segment, offset, sizeBytes } = this.#objects.locate(body)
    const insert = tx.run(
      `INSERT INTO blob (account, hash, segment, position, stored_bytes, size_bytes, compressed, refs)
       VALUES (?, ?, ?, ?, ?, ?, 0, 1) ON CONFLICT (account, hash) DO UPDATE SET refs = blob.refs + 1`,
      account,
      Buffer.from(body.hash, 'hex'),
      segment,
      offset,
      sizeBytes,
      sizeBytes,
    )
    tx.leave(insert)
  }

  async read(account: AccountId, hash: BlobHash, start: number, end: number | undefined): Promise<Buffer> {
    for (let attempt = 1; ; attempt++) {
      const row = await this.#reader.get<{ segment: number; offset: number; sizeBytes: number }>(
        'SELECT segment, position AS "offset", size_bytes AS "sizeBytes" FROM blob WHERE account = ? AND hash = ?',
        account,
        Buffer.from(hash, 'hex'),
      )
      if (!row) throw new StoreError('no-such-body', 'the body is gone')
      if (row.segment <= inTables) return this.#tables.read(account, hash, start, end)
      const stop = Math.min(end ?? row.sizeBytes, row.sizeBytes)
      const location = { ...row, storedBytes: row.sizeBytes, compressed: false }
      const bytes = await this.#objects.read(hash, location, Math.max(0, Math.min(start, stop)), stop)
      if (bytes) return bytes
      if (attempt === attempts) throw new StoreError('corrupt', `the object of body ${hash} is not in S3`)
    }
  }

  async close(): Promise<void> {
    await this.#objects.settled()
    this.#objects.close()
  }
}
