// Puts messages into the queue. RFC 5321 §4.5.4.1.
import type { AccountId } from '../../base/ids.ts'
import type { NewQueueMessage, QueueId } from '../queue-message.ts'
import type { BodyRef, Tx } from '../store.ts'
import { nextModSeq } from './next-mod-seq.ts'

export interface EnqueueMessages {
  readonly messages: readonly NewQueueMessage[]
}

/** The server's own account: it owns the bodies that wait. */
export const serverAccount = 0 as AccountId

/** The ids of the messages, in their order. */
export async function enqueueMessages(tx: Tx, { messages }: EnqueueMessages): Promise<readonly QueueId[]> {
  const ids: QueueId[] = []
  for (const message of messages) ids.push(await enqueue(tx, message))
  return ids
}

async function enqueue(tx: Tx, message: NewQueueMessage): Promise<QueueId> {
  // The modSeq of the server's account is the number of the message, and tells the queue that there is something to do.
  const id: QueueId = await nextModSeq(tx, serverAccount)
  await tx.takeBody(serverAccount, message.body)
  tx.leave(
    tx.run(
      `INSERT INTO queue_message (id, blob, body_bytes, mail_from, skip_bytes, prefix, body_type, smtp_utf8, ret, envelope_id, submitter, message_id,
       created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      Buffer.from(message.body.hash, 'hex'),
      sizeOf(message.body),
      message.mailFrom,
      message.skipBytes,
      message.prefix,
      message.bodyType,
      message.smtpUtf8 ? 1 : 0,
      message.ret,
      message.envelopeId,
      message.submitter,
      message.messageId,
      tx.nowMs,
      message.expiresAt,
    ),
  )
  for (const [index, recipient] of message.recipients.entries()) {
    tx.leave(
      tx.run(
        `INSERT INTO queue_recipient (message, id, address, domain, notify, original_recipient, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        id,
        index + 1,
        recipient.address,
        recipient.domain,
        recipient.notify,
        recipient.originalRecipient,
        recipient.dueAt,
      ),
    )
  }
  return id
}

function sizeOf(body: BodyRef): number {
  return body.kind === 'inline' ? body.bytes.byteLength : body.sizeBytes
}
