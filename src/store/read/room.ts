// How much more an account may keep.
import type { AccountId } from '../../base/ids.ts'
import type { Reader } from '../store.ts'

export interface Room {
  /** Infinity where there is no bound. */
  readonly freeBytes: number
  readonly freeMessages: number
  readonly quotaBytes: number
}

/** The quota of accounts that have none of their own; null for no bound. */
export interface DefaultQuota {
  readonly bytes: number | null
  readonly messages: number | null
}

/** The room left in an account, by its own quota or the default one. No room where there is no account. */
export async function findRoom(reader: Reader, account: AccountId, quota: DefaultQuota): Promise<Room> {
  const row = await reader.get<{
    quotaBytes: number | null
    quotaMessages: number | null
    usedBytes: number
    usedMessages: number
  }>(
    `SELECT quota_bytes AS "quotaBytes", quota_messages AS "quotaMessages", used_bytes AS "usedBytes", used_messages AS "usedMessages"
     FROM account WHERE id = ?`,
    account,
  )
  if (!row) return { freeBytes: 0, freeMessages: 0, quotaBytes: 0 }
  const quotaBytes = row.quotaBytes ?? quota.bytes ?? Infinity
  const quotaMessages = row.quotaMessages ?? quota.messages ?? Infinity
  return {
    freeBytes: quotaBytes - row.usedBytes,
    freeMessages: quotaMessages - row.usedMessages,
    quotaBytes,
  }
}
