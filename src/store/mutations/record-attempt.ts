// Writes down what an attempt ended with, and in the same transaction the reports that follow from it. RFC 5321 §4.5.4.1, §6.1; RFC 3464.
import type { QueueId, QueueReply } from '../queue-message.ts'
import type { Tx } from '../store.ts'
import { type AcceptMessage, acceptMessage } from './accept-message.ts'
import { serverAccount } from './enqueue-messages.ts'
import { nextModSeq } from './next-mod-seq.ts'
import { finishQueueMessage } from './finish-queue-message.ts'

export type AttemptResult = {
  /** The recipient's id in its message. */
  readonly recipient: number
  readonly reply: QueueReply
} & (
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'later'; readonly dueAt: number; readonly isDelayReported: boolean }
)

export interface RecordAttempt extends AcceptMessage {
  readonly message: QueueId
  readonly lease: string
  readonly results: readonly AttemptResult[]
}

/**
 * `stale` are recipients that the caller holds no more (dropped, or leased to another since): if there are any, nothing was written down,
 * and the caller tries again without them. That a message was delivered is always written down.
 */
export async function recordAttempt(
  tx: Tx,
  { message, lease, results, ...reports }: RecordAttempt,
): Promise<{ readonly stale: readonly number[] }> {
  await nextModSeq(tx, serverAccount)
  const held = await tx.all<{ id: number }>(
    `SELECT id FROM queue_recipient WHERE message = ? AND lease = ? AND state IN ('waiting', 'held')`,
    message,
    lease,
  )
  const mine = new Set(held.map(({ id }) => id))
  const stale = results.filter(({ kind, recipient }) => kind !== 'delivered' && !mine.has(recipient))
  if (stale.length > 0) return { stale: stale.map(({ recipient }) => recipient) }
  for (const result of results) {
    await settle(tx, message, result)
    await remember(tx, message, result)
  }
  await acceptMessage(tx, reports)
  await finishQueueMessage(tx, message)
  return { stale: [] }
}

async function settle(tx: Tx, message: QueueId, result: AttemptResult): Promise<void> {
  const { recipient, reply } = result
  const isLater = result.kind === 'later'
  await tx.run(
    `UPDATE queue_recipient SET state = CASE WHEN ? = 'later' THEN state ELSE ? END, attempts = attempts + 1, due_at = ?, delay_reported = ?,
       lease = '', lease_until = 0, last_host = ?, last_code = ?, last_status = ?, last_text = ?
     WHERE message = ? AND id = ? AND state IN ('waiting', 'held')`,
    result.kind,
    result.kind,
    isLater ? result.dueAt : tx.nowMs,
    isLater && result.isDelayReported ? 1 : 0,
    reply.host,
    reply.code,
    reply.status,
    reply.text,
    message,
    recipient,
  )
}

async function remember(tx: Tx, message: QueueId, { recipient, kind, reply }: AttemptResult): Promise<void> {
  await tx.run(
    `INSERT INTO queue_attempt (message, recipient, number, at, kind, host, code, status, text)
     SELECT ?, ?, coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ? FROM queue_attempt WHERE message = ? AND recipient = ?`,
    message,
    recipient,
    tx.nowMs,
    kind,
    reply.host,
    reply.code,
    reply.status,
    reply.text,
    message,
    recipient,
  )
}
