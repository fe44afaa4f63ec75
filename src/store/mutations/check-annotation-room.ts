// Whether the annotations of an account, of its mailboxes and of their messages, keep to their quota. RFC 9208 §5.4 (ANNOTATION-STORAGE).
import type { AccountId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'

/** Throws `over-quota`, so that the mutation's transaction is undone. */
export async function checkAnnotationRoom(tx: Tx, account: AccountId): Promise<void> {
  const kept = await tx.get<{ bytes: number; quota: number | null }>(
    `SELECT (SELECT coalesce(sum(length(entry) + length(value)), 0) FROM annotation WHERE account = ? AND value IS NOT NULL)
         + (SELECT coalesce(sum(length(entry) + length(value)), 0) FROM message_annotation WHERE account = ? AND value IS NOT NULL) AS bytes,
       quota_annotation_bytes AS quota FROM account WHERE id = ?`,
    account,
    account,
    account,
  )
  if (kept && kept.bytes > (kept.quota ?? limits.annotation.accountBytes))
    throw new StoreError('over-quota', 'the annotations are over their quota')
}
