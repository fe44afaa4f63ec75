// Forgets the history of messages that left the queue long ago.
import type { QueueId } from '../queue-message.ts'
import type { Tx } from '../store.ts'

export interface PruneQueue {
  readonly finishedBefore: number
  /** Messages at most, so that others' mutations get their turn. */
  readonly limit: number
}

/** How many messages were forgotten. */
export async function pruneQueue(tx: Tx, { finishedBefore, limit }: PruneQueue): Promise<number> {
  const rows = await tx.all<{ id: QueueId }>(
    'SELECT id FROM queue_message WHERE finished_at < ? ORDER BY finished_at LIMIT ?',
    finishedBefore,
    limit,
  )
  for (const { id } of rows) {
    await tx.run('DELETE FROM queue_attempt WHERE message = ?', id)
    await tx.run('DELETE FROM queue_recipient WHERE message = ?', id)
    await tx.run('DELETE FROM queue_message WHERE id = ?', id)
  }
  return rows.length
}
