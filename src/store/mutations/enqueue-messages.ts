// Puts messages into the queue. RFC 5321 §4.5.4.1.
import type { AccountId, ModSeq } from '../../base/ids.ts'
import type { NewQueueMessage, QueueId } from '../queue-message.ts'
import type { BodyRef, Tx } from '../store.ts'
import { nextModSeq } from './next-mod-seq.ts'

export interface EnqueueMessages {
  readonly messages: readonly NewQueueMessage[]
}

/** The server's own account: it owns the bodies that wait. */
export const serverAccount = 0 as AccountId

/** Where another counter takes over it begins so far above the numbers that are known: the first may have given more, and may go on for a while. */
export const queueIdGap = 1_000_000_000

/** The ids of the messages, in their order. */
export async function enqueueMessages(tx: Tx, { messages }: EnqueueMessages): Promise<readonly QueueId[]> {
  const ids: QueueId[] = []
  for (const message of messages) ids.push(await enqueue(tx, message))
  return ids
}

async function enqueue(tx: Tx, message: NewQueueMessage): Promise<QueueId> {
  const id = await takeId(tx)
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

/** The message's number, and word to the queue that there is something to do. */
async function takeId(tx: Tx): Promise<QueueId> {
  if (!tx.queueIds) return nextModSeq(tx, serverAccount)
  // The account has not changed: who hears of it has to look.
  tx.changed(serverAccount, 0 as ModSeq)
  return tx.queueIds.take()
}

function sizeOf(body: BodyRef): number {
  return body.kind === 'inline' ? body.bytes.byteLength : body.sizeBytes
}
