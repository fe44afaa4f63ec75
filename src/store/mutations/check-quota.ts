// Whether an account may hold what it would hold now. RFC 9208 §2.
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'

interface Usage {
  readonly used_bytes: number
  readonly used_messages: number
  readonly quota_bytes: number | null
  readonly quota_messages: number | null
}

/** Throws `over-quota`, so that the mutation's transaction is undone. */
export function checkQuota(tx: Tx, usage: Usage): void {
  const bytes = usage.quota_bytes ?? tx.defaultQuota.bytes
  const messages = usage.quota_messages ?? tx.defaultQuota.messages
  if (
    (bytes !== undefined && usage.used_bytes > bytes) ||
    (messages !== undefined && usage.used_messages > messages)
  ) {
    throw new StoreError('over-quota', 'the account is over its quota')
  }
}
