// The administrator's hand on the queue: hold, release, try now, drop.
import { assertNever } from '../../base/assert.ts'
import type { QueueId } from '../queue-message.ts'
import type { Tx } from '../store.ts'
import { serverAccount } from './enqueue-messages.ts'
import { finishQueueMessage } from './finish-queue-message.ts'
import { nextModSeq } from './next-mod-seq.ts'

export type QueueAction =
  /** Keeps it where it is. */
  | 'hold'
  /** Ends a hold. */
  | 'release'
  /** Tries what waits at once. */
  | 'retry'
  /** Forgets it, and tells nobody. */
  | 'drop'

export interface SteerQueue {
  readonly action: QueueAction
  /** One message; all of them when undefined. */
  readonly message?: QueueId
  /** Only recipients of this domain (lower case, A-labels). */
  readonly domain?: string
}

/** How many recipients are concerned. */
export async function steerQueue(tx: Tx, { action, message, domain }: SteerQueue): Promise<number> {
  await nextModSeq(tx, serverAccount)
  const where = 'WHERE message = coalesce(?, message) AND domain = coalesce(?, domain) AND state'
  const params = [message ?? null, domain ?? null]
  switch (action) {
    case 'hold':
      return tx.run(`UPDATE queue_recipient SET state = 'held' ${where} = 'waiting'`, ...params)
    case 'release':
      return tx.run(
        `UPDATE queue_recipient SET state = 'waiting', due_at = ? ${where} = 'held'`,
        tx.nowMs,
        ...params,
      )
    case 'retry':
      return tx.run(`UPDATE queue_recipient SET due_at = ? ${where} = 'waiting'`, tx.nowMs, ...params)
    case 'drop': {
      const dropped = await tx.all<{ message: QueueId }>(
        `UPDATE queue_recipient SET state = 'dropped', lease = '', lease_until = 0 ${where} IN ('waiting', 'held') RETURNING message`,
        ...params,
      )
      for (const id of new Set(dropped.map(row => row.message))) await finishQueueMessage(tx, id)
      return dropped.length
    }
    default:
      return assertNever(action)
  }
}
