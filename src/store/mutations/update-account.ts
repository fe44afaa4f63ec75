// Changes what the directory says of an account.
import type { AccountId } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { SqlValue, Tx } from '../store.ts'
import { directoryChanged, standingChanged } from './directory-changed.ts'

export interface UpdateAccount {
  readonly account: AccountId
  readonly displayName?: string | undefined
  readonly state?: 'active' | 'disabled' | undefined
  readonly isAdmin?: boolean | undefined
  /** Null: the server's default again. */
  readonly quotaBytes?: number | null | undefined
  readonly quotaMessages?: number | null | undefined
  readonly quotaMailboxes?: number | null | undefined
  readonly quotaAnnotationBytes?: number | null | undefined
}

/** What is undefined stays as it is. Throws `no-such-account`. */
export async function updateAccount(tx: Tx, args: UpdateAccount): Promise<void> {
  const changes: (readonly [column: string, value: SqlValue | undefined])[] = [
    ['display_name', args.displayName],
    ['state', args.state],
    ['is_admin', args.isAdmin === undefined ? undefined : args.isAdmin ? 1 : 0],
    ['quota_bytes', args.quotaBytes],
    ['quota_messages', args.quotaMessages],
    ['quota_mailboxes', args.quotaMailboxes],
    ['quota_annotation_bytes', args.quotaAnnotationBytes],
  ]
  const columns = ['id = id']
  const values: SqlValue[] = []
  for (const [column, value] of changes) {
    if (value === undefined) continue
    columns.push(`${column} = ?`)
    values.push(value)
  }
  const changed = await tx.run(
    `UPDATE account SET ${columns.join(', ')} WHERE id = ? AND id > 0 AND state <> 'removing'`,
    ...values,
    args.account,
  )
  if (changed === 0) throw new StoreError('no-such-account', 'the account is gone')
  directoryChanged(tx)
  standingChanged(tx, args.account)
}
