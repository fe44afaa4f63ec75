// Conversations. RFC 8621 §3: messages that share a Message-Id and a base subject (RFC 5256 §2.1). RFC 8474 §5.2: a message's THREADID never changes.
import { hash } from 'node:crypto'
import { type Awaitable, together } from '../../base/awaitable.ts'
import type { AccountId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import type { EmailSummary } from '../../message/summary.ts'
import type { Tx } from '../store.ts'

/** What conversations the emails that arrive belong to, and what has to be written for those that follow. */
export interface AssignedThreads {
  /** One for each email. */
  readonly threads: readonly number[]
  readonly newKeys: readonly { readonly key: Buffer; readonly thread: number }[]
}

/**
 * Assigns the conversations of emails that arrive, in their order, once the number for new ones is known: email `i` that begins a conversation gets
 * `firstThread + i`. Where one joins two conversations it goes to the one that it refers to last, since the others' ids can't change any more.
 * Write `newKeys` with `rememberKeys`.
 */
export function findThreads(
  tx: Tx,
  account: AccountId,
  emails: readonly Pick<EmailSummary, 'messageId' | 'references' | 'baseSubject'>[],
): Awaitable<(firstThread: number) => AssignedThreads> {
  const keysOf = emails.map(threadKeys)
  const keys = keysOf.length === 1 ? (keysOf[0] as readonly Buffer[]) : uniqueKeys(keysOf.flat())
  const rows = together(
    keys.map(key =>
      tx.get<{ thread: number }>('SELECT thread FROM thread_key WHERE account = ? AND key = ?', account, key),
    ),
  )
  const joiner = (found: readonly ({ thread: number } | undefined)[]) => (firstThread: number) =>
    keysOf.length === 1 ? joinOne(keys, found, firstThread) : joinAll(keysOf, keys, found, firstThread)
  return rows instanceof Promise ? rows.then(joiner) : joiner(rows)
}

function uniqueKeys(keys: readonly Buffer[]): readonly Buffer[] {
  return [...new Map(keys.map(key => [nameOf(key), key])).values()]
}

function nameOf(key: Buffer): string {
  return key.toString('latin1')
}

/** `rows` pair with `keys`. */
function joinOne(
  keys: readonly Buffer[],
  rows: readonly ({ readonly thread: number } | undefined)[],
  newThread: number,
): AssignedThreads {
  const thread = rows.find(row => row !== undefined)?.thread ?? newThread
  return { threads: [thread], newKeys: keys.filter((_, at) => !rows[at]).map(key => ({ key, thread })) }
}

/** The same for many, of which later ones may join earlier ones. */
function joinAll(
  keysOf: readonly (readonly Buffer[])[],
  keys: readonly Buffer[],
  rows: readonly ({ readonly thread: number } | undefined)[],
  firstThread: number,
): AssignedThreads {
  const known = new Map<string, number>()
  for (const [at, row] of rows.entries()) if (row) known.set(nameOf(keys[at] as Buffer), row.thread)
  const newKeys: { key: Buffer; thread: number }[] = []
  const threads = keysOf.map((own, index) => {
    const joined = own.map(key => known.get(nameOf(key))).find(thread => thread !== undefined)
    const thread = joined ?? firstThread + index
    for (const key of own) {
      if (known.has(nameOf(key))) continue
      known.set(nameOf(key), thread)
      newKeys.push({ key, thread })
    }
    return thread
  })
  return { threads, newKeys }
}

/** Remembers Message-Ids for those that refer to them. */
export function rememberKeys(
  tx: Tx,
  account: AccountId,
  { newKeys }: AssignedThreads,
): readonly Awaitable<number>[] {
  return newKeys.map(({ key, thread }) =>
    tx.run('INSERT INTO thread_key (account, key, thread) VALUES (?, ?, ?)', account, key, thread),
  )
}

/** Like `findThreads` and `rememberKeys` for one email; its conversation. */
export async function assignThread(
  tx: Tx,
  account: AccountId,
  email: Pick<EmailSummary, 'messageId' | 'references' | 'baseSubject'>,
  newThread: number,
): Promise<number> {
  const assigned = (await findThreads(tx, account, [email]))(newThread)
  await together(rememberKeys(tx, account, assigned))
  return assigned.threads[0] ?? newThread
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
