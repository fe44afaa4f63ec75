// Reads the messages of an account, and waits for those to come.
import type { AccountId, BlobHash, ModSeq } from '../base/ids.ts'
import { StoreError } from '../store/error.ts'
import { systemMask } from '../store/flags.ts'
import type { Store } from '../store/store.ts'
import type { MessagePredicate } from './message-filter.ts'
import { readMessage, type ReceivedMessage } from './received-message.ts'

type Row = readonly [
  mailbox: string,
  uid: number,
  flags: number,
  receivedAt: number,
  blob: Uint8Array,
  modSeq: ModSeq,
  keywords: string | null,
]

/** Every message that changed after `after`, in the order in which they came. */
async function rowsAfter(store: Store, account: AccountId, after: number): Promise<readonly Row[]> {
  return await store.reader.arrays<Row>(
    `SELECT b.name, m.uid, m.flags, m.received_at, e.blob, m.mod_seq, k.keywords FROM message m
       JOIN mailbox b ON b.account = m.account AND b.id = m.mailbox
       JOIN email e ON e.account = m.account AND e.id = m.email
       LEFT JOIN keyword_set k ON k.account = m.account AND k.id = m.flags / 256
     WHERE m.account = ? AND m.mod_seq > ? ORDER BY m.email, b.name, m.uid`,
    account,
    after,
  )
}

/** Undefined when it was removed meanwhile. */
async function read(store: Store, account: AccountId, row: Row): Promise<ReceivedMessage | undefined> {
  const [mailbox, uid, flags, receivedAt, blob, , keywords] = row
  const hash = Buffer.from(blob).toString('hex') as BlobHash
  try {
    const raw = await store.readBody(account, hash)
    const set = {
      system: flags & systemMask,
      keywords: keywords === null || keywords === '' ? [] : keywords.split(' '),
    }
    return readMessage(raw, { mailbox, uid, flags: set, receivedAt })
  } catch (error) {
    if (error instanceof StoreError && error.code === 'no-such-body') return undefined
    throw error
  }
}

/** The messages of one mailbox, or of all, in the order in which they came. */
export async function listMessages(
  store: Store,
  account: AccountId,
  mailbox: string | undefined,
): Promise<readonly ReceivedMessage[]> {
  const messages: ReceivedMessage[] = []
  for (const row of await rowsAfter(store, account, 0)) {
    if (mailbox !== undefined && row[0] !== mailbox) continue
    const message = await read(store, account, row)
    if (message) messages.push(message)
  }
  return messages
}

/** The first message that `predicate` takes, of those that are there and those to come. Rejects with the signal's reason. */
export async function awaitMessage(
  store: Store,
  account: AccountId,
  predicate: MessagePredicate,
  signal: AbortSignal,
): Promise<ReceivedMessage> {
  let after = 0
  let changed = Promise.withResolvers<void>()
  const unwatch = store.watch(account, () => changed.resolve())
  const aborted = Promise.withResolvers<never>()
  aborted.promise.catch(() => {})
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      signal.throwIfAborted()
      changed = Promise.withResolvers()
      for (const row of await rowsAfter(store, account, after)) {
        after = Math.max(after, row[5])
        const message = await read(store, account, row)
        if (message && predicate(message)) return message
      }
      await Promise.race([changed.promise, aborted.promise])
    }
  } finally {
    signal.removeEventListener('abort', abort)
    unwatch()
  }
}
