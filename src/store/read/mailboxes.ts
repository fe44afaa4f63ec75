// Reads of mailboxes and subscriptions. RFC 9051 §2.3, §6.3.9, §6.3.11.
import type { AccountId, MailboxId, ModSeq, UidValidity } from '../../base/ids.ts'
import { canonicalMailboxName } from '../mailbox-name.ts'
import type { Reader } from '../store.ts'

/** One mailbox with its counts. */
export interface Mailbox {
  readonly id: MailboxId
  /** Whole name, '/' between levels. */
  readonly name: string
  readonly uidValidity: UidValidity
  readonly uidNext: number
  /** HIGHESTMODSEQ (RFC 7162). */
  readonly modSeq: ModSeq
  readonly total: number
  readonly unseen: number
  /** Messages with \Deleted. */
  readonly deleted: number
  readonly sizeBytes: number
  /** The first UID that no session has been shown as \Recent. */
  readonly recentUid: number
  /** `\Sent` and so on (RFC 6154). */
  readonly specialUse: string | null
}

const columns = `id, name, uid_validity AS "uidValidity", uid_next AS "uidNext", mod_seq AS "modSeq", total, unseen, deleted,
  size_bytes AS "sizeBytes", recent_uid AS "recentUid", special_use AS "specialUse"`

/** The mailbox of that name (INBOX in any case), if there is one. */
export async function findMailbox(
  reader: Reader,
  account: AccountId,
  name: string,
): Promise<Mailbox | undefined> {
  return await reader.get<Mailbox>(
    `SELECT ${columns} FROM mailbox WHERE account = ? AND name = ?`,
    account,
    canonicalMailboxName(name),
  )
}

/** All mailboxes of an account, by name. */
export async function listMailboxes(reader: Reader, account: AccountId): Promise<readonly Mailbox[]> {
  return await reader.all<Mailbox>(`SELECT ${columns} FROM mailbox WHERE account = ? ORDER BY name`, account)
}

/** All subscribed names of an account, also of mailboxes that are gone. */
export async function listSubscriptions(reader: Reader, account: AccountId): Promise<readonly string[]> {
  const rows = await reader.all<{ name: string }>(
    'SELECT name FROM subscription WHERE account = ? ORDER BY name',
    account,
  )
  return rows.map(({ name }) => name)
}
