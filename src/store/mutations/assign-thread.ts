// Conversations. RFC 8621 §3: messages that share a Message-Id and a base subject (RFC 5256 §2.1). RFC 8474 §5.2: a message's THREADID never changes.
import { hash } from 'node:crypto'
import type { AccountId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import type { EmailSummary } from '../../message/summary.ts'
import type { Tx } from '../store.ts'

/**
 * The conversation of an email that arrives; its Message-Ids are remembered for those that follow. Where it joins two
 * conversations it goes to the one that it refers to last, since the others' ids can't change any more. `newThread` is for a new one.
 */
export async function assignThread(
  tx: Tx,
  account: AccountId,
  email: Pick<EmailSummary, 'messageId' | 'references' | 'baseSubject'>,
  newThread: number,
): Promise<number> {
  const keys = threadKeys(email)
  let thread: number | undefined
  const unknown: Buffer[] = []
  for (const key of keys) {
    const known = await tx.get<{ thread: number }>(
      'SELECT thread FROM thread_key WHERE account = ? AND key = ?',
      account,
      key,
    )
    if (known) thread ??= known.thread
    else unknown.push(key)
  }
  thread ??= newThread
  for (const key of unknown) {
    await tx.run('INSERT INTO thread_key (account, key, thread) VALUES (?, ?, ?)', account, key, thread)
  }
  return thread
}

/** The nearest ancestor first, the message's own id last. */
export function threadKeys(
  email: Pick<EmailSummary, 'messageId' | 'references' | 'baseSubject'>,
): readonly Buffer[] {
  const ids = new Set(email.references.slice(-(limits.store.threadKeys - 1)).reverse())
  ids.add(email.messageId)
  ids.delete('')
  return [...ids].map(id => hash('sha256', `${id}\0${email.baseSubject}`, 'buffer').subarray(0, 16))
}
