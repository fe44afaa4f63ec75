// The messages of one mailbox with their bodies, for an export.
import type { AccountId, BlobHash, MailboxId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import type { FlagSet } from '../../store/flags.ts'
import { systemMask } from '../../store/flags.ts'
import type { Store } from '../../store/store.ts'

export interface StoredMessage {
  readonly uid: number
  readonly flags: FlagSet
  /** INTERNALDATE, milliseconds since 1970. */
  readonly receivedAt: number
  /** The address of its author. */
  readonly from: string
  readonly hash: BlobHash
  readonly sizeBytes: number
}

/** Every message, by UID ascending, in pages: what is expunged meanwhile may be missing. */
export async function* messagesOf(store: Store, account: AccountId, mailbox: MailboxId): AsyncGenerator<StoredMessage> {
  const snapshot = await store.snapshot(account, mailbox)
  let after = 0
  for (;;) {
    const rows = await store.reader.arrays<readonly [number, number, number, number, Uint8Array]>(
      `SELECT m.uid, m.flags, m.received_at, m.size_bytes, e.blob FROM message m JOIN email e ON e.account = m.account AND e.id = m.email
       WHERE m.account = ? AND m.mailbox = ? AND m.uid > ? ORDER BY m.uid LIMIT ?`,
      account,
      mailbox,
      after,
      limits.archive.pageMessages,
    )
    for (const [uid, flags, receivedAt, sizeBytes, blob] of rows) {
      const keywords = snapshot.keywordsOf(flags)
      const hash = Buffer.from(blob).toString('hex') as BlobHash
      yield { uid, flags: { system: flags & systemMask, keywords }, receivedAt, from: '', hash, sizeBytes }
      after = uid
    }
    if (rows.length === 0) return
  }
}
