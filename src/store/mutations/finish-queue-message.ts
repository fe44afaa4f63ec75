// Lets go of the body of a queued message that nobody waits for any more. Its rows stay as history until they are pruned.
import type { BlobHash } from '../../base/ids.ts'
import type { QueueId } from '../queue-message.ts'
import type { Tx } from '../store.ts'
import { serverAccount } from './enqueue-messages.ts'
import { releaseBlob } from './purge-orphans.ts'

/** Does nothing while a recipient waits or is held. */
export async function finishQueueMessage(tx: Tx, message: QueueId): Promise<void> {
  const finished = await tx.get<{ blob: Uint8Array }>(
    `UPDATE queue_message SET finished_at = ? WHERE id = ? AND finished_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM queue_recipient WHERE message = ? AND state IN ('waiting', 'held')) RETURNING blob`,
    tx.nowMs,
    message,
    message,
  )
  if (!finished) return
  await releaseBlob(tx, serverAccount, Buffer.from(finished.blob).toString('hex') as BlobHash)
}
