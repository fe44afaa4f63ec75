// Takes responsibility for a message: its local deliveries and what of it goes elsewhere, in one transaction. RFC 5321 §4.1.1.4, §6.1.
import type { QueueId } from '../queue-message.ts'
import type { Tx } from '../store.ts'
import { type Delivered, type DeliverMessages, deliverMessages } from './deliver-messages.ts'
import { type EnqueueMessages, enqueueMessages } from './enqueue-messages.ts'

export interface AcceptMessage extends DeliverMessages, EnqueueMessages {}

/** What became of each delivery, and the ids of what is queued. */
export async function acceptMessage(
  tx: Tx,
  { deliveries, messages }: AcceptMessage,
): Promise<{ readonly deliveries: readonly Delivered[]; readonly queued: readonly QueueId[] }> {
  return {
    deliveries: deliveries.length === 0 ? [] : await deliverMessages(tx, { deliveries }),
    queued: await enqueueMessages(tx, { messages }),
  }
}
