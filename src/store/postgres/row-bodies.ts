// Where bodies lie of which PostgreSQL has the rows: in tables, or in S3.
import type { AccountId, BlobHash } from '../../base/ids.ts'
import type { BodyRef } from '../store.ts'
import type { PostgresTx } from './tx.ts'

/** What of a transaction the rows of a body need. */
export type BodyTx = Pick<PostgresTx, 'leave' | 'run'>

export interface RowBodies {
  /** Brings to their place the bodies that a transaction is going to refer to, and gives what to call when that has ended. Undefined: it brings them itself. Throws `StoreError`. */
  prepare(bodies: readonly BodyRef[]): Promise<() => void> | undefined
  /** Takes one reference for `account`, within the transaction: what is one statement is left to it. */
  insert(tx: BodyTx, account: AccountId, body: BodyRef): Promise<void> | undefined
  /** Bytes `start` to `end` (exclusive; the end by default). Throws `no-such-body`, and `corrupt` when bytes are missing. */
  read(account: AccountId, hash: BlobHash, start: number, end: number | undefined): Promise<Buffer>
  close(): Promise<void>
}
