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

const columns =
  'id, name, uid_validity, uid_next, mod_seq, total, unseen, deleted, size_bytes, recent_uid, special_use'

type MailboxColumns = readonly [
  id: MailboxId,
  name: string,
  uidValidity: UidValidity,
  uidNext: number,
  modSeq: ModSeq,
  total: number,
  unseen: number,
  deleted: number,
  sizeBytes: number,
  recentUid: number,
  specialUse: string | null,
]

/** The mailbox of that name (INBOX in any case), if there is one. */
export async function findMailbox(
  reader: Reader,
  account: AccountId,
  name: string,
): Promise<Mailbox | undefined> {
  const [row] = await reader.arrays<MailboxColumns>(
    `SELECT ${columns} FROM mailbox WHERE account = ? AND name = ?`,
    account,
    canonicalMailboxName(name),
  )
  return row && mailboxOf(row)
}

/** All mailboxes of an account, by name. */
export async function listMailboxes(reader: Reader, account: AccountId): Promise<readonly Mailbox[]> {
  const rows = await reader.arrays<MailboxColumns>(
    `SELECT ${columns} FROM mailbox WHERE account = ? ORDER BY name`,
    account,
  )
  return rows.map(mailboxOf)
}

function mailboxOf(row: MailboxColumns): Mailbox {
  const [id, name, uidValidity, uidNext, modSeq, total, unseen, deleted, sizeBytes, recentUid, specialUse] =
    row
  return {
    id,
    name,
    uidValidity,
    uidNext,
    modSeq,
    total,
    unseen,
    deleted,
    sizeBytes,
    recentUid,
    specialUse,
  }
}

/** All subscribed names of an account, also of mailboxes that are gone. */
export async function listSubscriptions(reader: Reader, account: AccountId): Promise<readonly string[]> {
  const rows = await reader.all<{ name: string }>(
    'SELECT name FROM subscription WHERE account = ? ORDER BY name',
    account,
  )
  return rows.map(({ name }) => name)
}
