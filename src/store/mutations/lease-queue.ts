// Gives out work of the queue: recipients that are due, each to one worker for a while. RFC 5321 §4.5.4.1.
//
// Invariant: a recipient has at most one lease that has not run out; `record-attempt.ts` accepts only its holder's word.
import type { QueueId } from '../queue-message.ts'
import type { Tx } from '../store.ts'

export interface LeaseQueue {
  /** Names the holder of these leases, unlike any other. */
  readonly lease: string
  readonly leaseMs: number
  /** Jobs to give at most. */
  readonly limit: number
  /** Messages that may be on their way to one domain at a time. */
  readonly perDomain: number
  /** Only what is to be delivered here. */
  readonly isLocalOnly: boolean
}

/** One message to one domain; `recipients` are ids. */
export interface QueueJob {
  readonly message: QueueId
  readonly domain: string
  readonly recipients: readonly number[]
}

interface Row {
  readonly message: QueueId
  readonly id: number
  readonly domain: string
}

/** Rows that are looked at for each job that is given. */
const scanRows = 16

/** The jobs that are now the caller's, those due longest first. */
export async function leaseQueue(
  tx: Tx,
  { lease, leaseMs, limit, perDomain, isLocalOnly }: LeaseQueue,
): Promise<readonly QueueJob[]> {
  const busy = new Map<string, number>()
  for (const { domain, messages } of await tx.all<{ domain: string; messages: number }>(
    'SELECT domain, count(DISTINCT message) AS messages FROM queue_recipient WHERE lease_until > ? GROUP BY domain',
    tx.nowMs,
  ))
    busy.set(domain, messages)
  const rows = await tx.all<Row>(
    `SELECT message, id, domain FROM queue_recipient
     WHERE state = 'waiting' AND due_at <= ? AND lease_until <= ? AND (? = 0 OR domain = '') AND domain NOT IN (
       SELECT domain FROM queue_recipient WHERE lease_until > ? GROUP BY domain HAVING count(DISTINCT message) >= ?)
     ORDER BY due_at, message, id LIMIT ?`,
    tx.nowMs,
    tx.nowMs,
    isLocalOnly ? 1 : 0,
    tx.nowMs,
    perDomain,
    limit * scanRows,
  )
  const jobs: QueueJob[] = []
  for (const { message, domain } of firstOfEachJob(rows)) {
    if (jobs.length >= limit) break
    const underWay = busy.get(domain) ?? 0
    if (underWay >= perDomain) continue
    busy.set(domain, underWay + 1)
    const leased = await tx.all<{ id: number }>(
      `UPDATE queue_recipient SET lease = ?, lease_until = ?
       WHERE message = ? AND domain = ? AND state = 'waiting' AND due_at <= ? AND lease_until <= ? RETURNING id`,
      lease,
      tx.nowMs + leaseMs,
      message,
      domain,
      tx.nowMs,
      tx.nowMs,
    )
    jobs.push({ message, domain, recipients: leased.map(({ id }) => id).toSorted((a, b) => a - b) })
  }
  return jobs
}

function firstOfEachJob(rows: readonly Row[]): readonly Row[] {
  const seen = new Map<string, Row>()
  for (const row of rows) {
    const key = `${row.message} ${row.domain}`
    if (!seen.has(key)) seen.set(key, row)
  }
  return [...seen.values()]
}
