// The messages of one mailbox, for an export.
import type { AccountId, BlobHash, MailboxId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { type FlagSet, systemMask } from '../../store/flags.ts'
import type { Store } from '../../store/store.ts'

export interface StoredMessage {
  readonly flags: FlagSet
  /** INTERNALDATE, milliseconds since 1970. */
  readonly receivedAt: number
  readonly hash: BlobHash
}

/** Every message, by UID ascending. What is expunged meanwhile may be missing. */
export async function* messagesOf(
  store: Store,
  account: AccountId,
  mailbox: MailboxId,
): AsyncGenerator<StoredMessage> {
  const snapshot = await store.snapshot(account, mailbox)
  let after = 0
  for (;;) {
    const rows = await store.reader.arrays<readonly [number, number, number, Uint8Array]>(
      `SELECT m.uid, m.flags, m.received_at, e.blob FROM message m JOIN email e ON e.account = m.account AND e.id = m.email
       WHERE m.account = ? AND m.mailbox = ? AND m.uid > ? ORDER BY m.uid LIMIT ?`,
      account,
      mailbox,
      after,
      limits.archive.pageMessages,
    )
    for (const [uid, flags, receivedAt, blob] of rows) {
      const keywords = snapshot.keywordsOf(flags)
      yield {
        flags: { system: flags & systemMask, keywords },
        receivedAt,
        hash: Buffer.from(blob).toString('hex') as BlobHash,
      }
      after = uid
    }
    if (rows.length === 0) return
  }
}
