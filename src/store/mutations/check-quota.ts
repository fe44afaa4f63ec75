// Whether an account may hold what it would hold now. RFC 9208 §2.
import type { AccountId } from '../../base/ids.ts'
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

/** Counts what was added to an account. Throws `over-quota`, but for `isMove`: who only takes mail from one mailbox to another may do so over quota. */
export async function countUsage(
  tx: Tx,
  account: AccountId,
  { messages, sizeBytes }: { readonly messages: number; readonly sizeBytes: number },
  isMove = false,
): Promise<void> {
  const usage = await tx.get<Usage>(
    `UPDATE account SET used_bytes = used_bytes + ?, used_messages = used_messages + ? WHERE id = ?
     RETURNING used_bytes, used_messages, quota_bytes, quota_messages`,
    sizeBytes,
    messages,
    account,
  )
  if (usage && !isMove) checkQuota(tx, usage)
}
