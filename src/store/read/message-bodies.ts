// Which bodies the messages of a mailbox have.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, MailboxId, Uid } from '../../base/ids.ts'
import type { BodyLocation, Reader } from '../store.ts'
import { findLocation, locationSql } from './body-location.ts'

export interface StoredBody {
  /** 32 bytes. */
  readonly hash: Uint8Array
  /** Undefined where the store's rows do not say it. */
  readonly location: BodyLocation | undefined
}

type Row = readonly [uid: Uid, blob: Uint8Array, ...location: unknown[]]

/** The bodies of the UIDs from `first` to `last` that are there now, by UID. Without a promise where the back-end needs none. */
export function listMessageBodies(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
  first: number,
  last: number,
): Awaitable<ReadonlyMap<number, StoredBody>> {
  const { columns, join } = locationSql(reader)
  const rows = reader.arrays<Row>(
    `SELECT m.uid, e.blob${columns} FROM message m JOIN email e ON e.account = m.account AND e.id = m.email ${join}
      WHERE m.account = ? AND m.mailbox = ? AND m.uid BETWEEN ? AND ?`,
    account,
    mailbox,
    first,
    last,
  )
  return rows instanceof Promise ? rows.then(bodiesOf) : bodiesOf(rows)
}

function bodiesOf(rows: readonly Row[]): ReadonlyMap<number, StoredBody> {
  return new Map(rows.map(row => [row[0], { hash: row[1], location: findLocation(row, 2) }]))
}
