// Takes responsibility for a message: its local deliveries and what of it goes elsewhere, in one transaction. RFC 5321 §4.1.1.4, §6.1.
import type { NewQueueMessage, QueueId } from '../queue-message.ts'
import type { Tx } from '../store.ts'
import { type Delivered, type DeliverMessages, deliverMessages } from './deliver-messages.ts'
import { type EnqueueMessages, enqueueMessages } from './enqueue-messages.ts'

/** A delivery (its index) that waits in the queue when the mailbox does not take it. */
export interface DeliveryRetry {
  readonly delivery: number
  readonly message: NewQueueMessage
}

export interface AcceptMessage extends DeliverMessages, EnqueueMessages {
  /** For messages that nobody could be told of, were they refused: reports. */
  readonly retries?: readonly DeliveryRetry[] | undefined
}

/** What became of each delivery, and the ids of what is queued: `messages` first, then the retries that were needed. */
export async function acceptMessage(
  tx: Tx,
  { deliveries, messages, retries = [] }: AcceptMessage,
): Promise<{ readonly deliveries: readonly Delivered[]; readonly queued: readonly QueueId[] }> {
  const delivered = deliveries.length === 0 ? [] : await deliverMessages(tx, { deliveries })
  const needed = retries.filter(({ delivery }) => {
    const result = delivered[delivery]
    return result?.kind === 'failed' && result.code !== 'no-such-account'
  })
  const queued = await enqueueMessages(tx, {
    messages: [...messages, ...needed.map(({ message }) => message)],
  })
  return { deliveries: delivered, queued }
}
