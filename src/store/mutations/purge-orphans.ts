// Removes emails that no mailbox shows any more, some time after their last message went (`orphan`).
import type { AccountId, EmailId, BlobHash } from '../../base/ids.ts'
import type { Tx } from '../store.ts'
import { threadKeys } from './assign-thread.ts'

export interface PurgeOrphans {
  readonly account: AccountId
  /** Rows of `orphan` that are due. */
  readonly orphans: readonly { readonly since: number; readonly email: EmailId }[]
}

/** Orphans that are gone by now are passed over. Bodies' bytes are given back by compaction. */
export async function purgeOrphans(tx: Tx, { account, orphans }: PurgeOrphans): Promise<void> {
  for (const { since, email } of orphans) {
    const due = await tx.run(
      'DELETE FROM orphan WHERE since = ? AND account = ? AND email = ?',
      since,
      account,
      email,
    )
    if (due > 0) await purgeEmail(tx, account, email)
  }
}

/** Unless a message shows it: it may have been copied back meanwhile. */
async function purgeEmail(tx: Tx, account: AccountId, email: EmailId): Promise<void> {
  const gone = await tx.get<{
    blob: Uint8Array
    thread: number
    message_id: string
    reference_ids: string
    base_subject: string
  }>(
    `DELETE FROM email WHERE account = ? AND id = ? AND NOT EXISTS (SELECT 1 FROM message WHERE account = ? AND email = ?)
     RETURNING blob, thread, message_id, reference_ids, base_subject`,
    account,
    email,
    account,
    email,
  )
  if (!gone) return
  await releaseBlob(tx, account, Buffer.from(gone.blob).toString('hex') as BlobHash)
  const isThreadAlive = await tx.get(
    'SELECT 1 FROM email WHERE account = ? AND thread = ? LIMIT 1',
    account,
    gone.thread,
  )
  if (isThreadAlive) return
  const keys = threadKeys({
    messageId: gone.message_id,
    references: gone.reference_ids.split(' '),
    baseSubject: gone.base_subject,
  })
  for (const key of keys) {
    await tx.run(
      'DELETE FROM thread_key WHERE account = ? AND key = ? AND thread = ?',
      account,
      key,
      gone.thread,
    )
  }
}

/** Gives back one reference to a body (`tx.takeBody` took it). */
export async function releaseBlob(tx: Tx, account: AccountId, hash: BlobHash): Promise<void> {
  const key = Buffer.from(hash, 'hex')
  await tx.run('UPDATE blob SET refs = refs - 1 WHERE account = ? AND hash = ?', account, key)
  await tx.run('DELETE FROM blob WHERE account = ? AND hash = ? AND refs <= 0', account, key)
}
