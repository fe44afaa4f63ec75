// Emails whose last message went some time ago.
import type { AccountId, EmailId } from '../../base/ids.ts'
import type { PurgeOrphans } from '../mutations/purge-orphans.ts'

export interface DueOrphan {
  readonly since: number
  readonly account: AccountId
  readonly email: EmailId
}

/** Those that were orphaned at or before a time, the oldest first; at most so many. */
export const dueOrphansSql =
  'SELECT since, account, email FROM orphan WHERE since <= ? ORDER BY since, account, email LIMIT ?'

/** One mutation for each account. */
export function byAccount(due: readonly DueOrphan[]): readonly PurgeOrphans[] {
  return [...Map.groupBy(due, orphan => orphan.account)].map(([account, orphans]) => ({ account, orphans }))
}
