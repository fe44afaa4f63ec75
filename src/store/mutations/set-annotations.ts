// Sets and removes annotations of one mailbox, of an account, or of the server, all or none. RFC 5464 §4.3.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { checkAnnotationRoom } from './check-annotation-room.ts'
import { nextModSeq } from './next-mod-seq.ts'

export interface SetAnnotations {
  /** 0 for the server's own. */
  readonly account: AccountId
  /** Undefined for annotations that belong to no mailbox. */
  readonly mailbox?: MailboxId | undefined
  /** Names of entries are one whatever their case. A null value removes the entry. */
  readonly entries: readonly { readonly entry: string; readonly value: Uint8Array | null }[]
}

/** Throws `no-such-mailbox`, `too-many` (entries) and `over-quota` (bytes). Removed entries stay known for a while to those who ask what changed. */
export async function setAnnotations(
  tx: Tx,
  { account, mailbox, entries }: SetAnnotations,
): Promise<{ readonly modSeq: ModSeq }> {
  const modSeq = await nextModSeq(tx, account)
  if (
    mailbox !== undefined &&
    !(await tx.get('SELECT id FROM mailbox WHERE account = ? AND id = ?', account, mailbox))
  )
    throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  const place = mailbox ?? 0
  for (const { entry, value } of entries) {
    const folded = entry.toLowerCase()
    if (value === null) {
      await tx.run(
        'UPDATE annotation SET value = NULL, mod_seq = ? WHERE account = ? AND mailbox = ? AND folded = ? AND value IS NOT NULL',
        modSeq,
        account,
        place,
        folded,
      )
    } else {
      await tx.run(
        `INSERT INTO annotation (account, mailbox, folded, entry, value, mod_seq) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (account, mailbox, folded) DO UPDATE SET value = excluded.value, mod_seq = excluded.mod_seq`,
        account,
        place,
        folded,
        entry,
        value,
        modSeq,
      )
    }
  }
  await checkCount(tx, account, place)
  await checkAnnotationRoom(tx, account)
  await forgetRemoved(tx, account, place)
  return { modSeq }
}

async function checkCount(tx: Tx, account: AccountId, place: number): Promise<void> {
  const kept = await tx.get<{ entries: number }>(
    'SELECT count(*) AS entries FROM annotation WHERE account = ? AND mailbox = ? AND value IS NOT NULL',
    account,
    place,
  )
  if (kept && kept.entries > limits.annotation.perMailbox)
    throw new StoreError('too-many', 'too many annotations')
}

/** Names of entries that are gone cost room too: the oldest are forgotten. */
async function forgetRemoved(tx: Tx, account: AccountId, place: number): Promise<void> {
  await tx.run(
    `DELETE FROM annotation WHERE account = ? AND mailbox = ? AND value IS NULL AND folded NOT IN
       (SELECT folded FROM annotation WHERE account = ? AND mailbox = ? AND value IS NULL ORDER BY mod_seq DESC LIMIT ?)`,
    account,
    place,
    account,
    place,
    limits.annotation.removed,
  )
}
