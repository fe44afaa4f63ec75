// Where bodies lie of which PostgreSQL has the rows: in tables, or in S3.
import type { AccountId, BlobHash } from '../../base/ids.ts'
import type { BodyRef, SqlValue } from '../store.ts'

/** Runs a statement of the transaction. */
export type Run = (sql: string, ...params: readonly SqlValue[]) => Promise<number>

export interface RowBodies {
  /** Brings to their place the bodies that a transaction is going to refer to, and gives what to call when that has ended. Undefined: it brings them itself. Throws `StoreError`. */
  prepare(bodies: readonly BodyRef[]): Promise<() => void> | undefined
  /** Takes one reference for `account`, within the transaction. */
  insert(run: Run, account: AccountId, body: BodyRef): Promise<void>
  /** Bytes `start` to `end` (exclusive; the end by default). Throws `no-such-body`, and `corrupt` when bytes are missing. */
  read(account: AccountId, hash: BlobHash, start: number, end: number | undefined): Promise<Buffer>
  close(): Promise<void>
}
