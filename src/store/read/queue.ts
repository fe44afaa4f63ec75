// The queue as it is shown and worked on.
import type { BlobHash } from '../../base/ids.ts'
import type {
  NewQueueRecipient,
  QueueBodyType,
  QueueId,
  QueueMessage,
  QueueRecipient,
  QueueReply,
  QueueState,
} from '../queue-message.ts'
import type { Reader } from '../store.ts'

interface MessageRow {
  readonly id: QueueId
  readonly blob: Uint8Array
  readonly bodyBytes: number
  readonly mailFrom: string
  readonly skipBytes: number
  readonly prefix: string
  readonly bodyType: QueueBodyType
  readonly smtpUtf8: number
  readonly ret: 'FULL' | 'HDRS' | null
  readonly envelopeId: string | null
  readonly submitter: number | null
  readonly messageId: string
  readonly createdAt: number
  readonly expiresAt: number
}

interface RecipientRow extends NewQueueRecipient {
  readonly message: QueueId
  readonly id: number
  readonly state: QueueState
  readonly attempts: number
  readonly delayReported: number
  readonly host: string
  readonly code: number
  readonly status: string
  readonly text: string
}

const messageColumns = `id, blob, body_bytes AS "bodyBytes", mail_from AS "mailFrom", skip_bytes AS "skipBytes", prefix, body_type AS "bodyType",
  smtp_utf8 AS "smtpUtf8", ret, envelope_id AS "envelopeId", submitter, message_id AS "messageId", created_at AS "createdAt", expires_at AS "expiresAt"`
const recipientColumns = `message, id, address, domain, notify, original_recipient AS "originalRecipient", due_at AS "dueAt", state, attempts,
  delay_reported AS "delayReported", last_host AS host, last_code AS code, last_status AS status, last_text AS text`

/** Up to `limit` messages that wait or are held, the oldest first, beginning behind `after`, with all their recipients. */
export async function listQueue(
  reader: Reader,
  after: QueueId = 0,
  limit = 100,
): Promise<readonly QueueMessage[]> {
  const rows = await reader.all<MessageRow>(
    `SELECT ${messageColumns} FROM queue_message WHERE finished_at IS NULL AND id > ? ORDER BY id LIMIT ?`,
    after,
    limit,
  )
  const messages: QueueMessage[] = []
  for (const row of rows) messages.push(await withRecipients(reader, row))
  return messages
}

/** A message by its id, waiting or history; undefined when it is unknown or pruned. */
export async function findQueueMessage(reader: Reader, id: QueueId): Promise<QueueMessage | undefined> {
  const row = await reader.get<MessageRow>(`SELECT ${messageColumns} FROM queue_message WHERE id = ?`, id)
  return row && withRecipients(reader, row)
}

/** When the next recipient that nobody works on is due, milliseconds since 1970; undefined when none waits. */
export async function findNextDue(reader: Reader, isLocalOnly = false): Promise<number | undefined> {
  const row = await reader.get<{ dueAt: number }>(
    `SELECT due_at AS "dueAt" FROM queue_recipient WHERE state = 'waiting' AND lease_until = 0 AND (? = 0 OR domain = '') ORDER BY due_at LIMIT 1`,
    isLocalOnly ? 1 : 0,
  )
  return row?.dueAt
}

/** How many recipients are in each state that keeps a message in the queue. */
export async function countQueue(
  reader: Reader,
): Promise<{ readonly waiting: number; readonly held: number }> {
  const rows = await reader.all<{ state: QueueState; total: number }>(
    `SELECT state, count(*) AS total FROM queue_recipient WHERE state IN ('waiting', 'held') GROUP BY state`,
  )
  const of = (state: QueueState) => rows.find(row => row.state === state)?.total ?? 0
  return { waiting: of('waiting'), held: of('held') }
}

/** One attempt of the past. */
export interface QueueAttempt extends QueueReply {
  readonly recipient: number
  readonly at: number
  readonly kind: 'delivered' | 'failed' | 'later'
}

/** Every attempt to send a message, in order. */
export async function listAttempts(reader: Reader, message: QueueId): Promise<readonly QueueAttempt[]> {
  return reader.all<QueueAttempt>(
    'SELECT recipient, at, kind, host, code, status, text FROM queue_attempt WHERE message = ? ORDER BY at, recipient, number',
    message,
  )
}

async function withRecipients(reader: Reader, row: MessageRow): Promise<QueueMessage> {
  const recipients = await reader.all<RecipientRow>(
    `SELECT ${recipientColumns} FROM queue_recipient WHERE message = ? ORDER BY id`,
    row.id,
  )
  const { blob, smtpUtf8, ...rest } = row
  return {
    ...rest,
    hash: Buffer.from(blob).toString('hex') as BlobHash,
    smtpUtf8: smtpUtf8 !== 0,
    recipients: recipients.map(recipientOf),
  }
}

function recipientOf(row: RecipientRow): QueueRecipient {
  const { message: _, delayReported, host, code, status, text, ...rest } = row
  return {
    ...rest,
    isDelayReported: delayReported !== 0,
    last: row.attempts === 0 ? undefined : { host, code, status, text },
  }
}
