// Makes a mailbox and the ones above it that are missing. RFC 9051 §6.3.4; RFC 6154 §3 (CREATE-SPECIAL-USE); RFC 8474 §4 (MAILBOXID).
import type { AccountId, MailboxId, ModSeq, UidValidity } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import { parentNames, parseMailboxName } from '../mailbox-name.ts'
import type { Tx } from '../store.ts'
import { nextModSeq } from './next-mod-seq.ts'
import { checkSpecialUse } from './set-special-use.ts'

export interface CreateMailbox {
  readonly account: AccountId
  readonly name: string
  readonly specialUse?: string | undefined
}

export interface CreatedMailbox {
  readonly mailbox: MailboxId
  readonly uidValidity: UidValidity
}

/** Throws `invalid-name`, `mailbox-exists`, `special-use-taken`, `too-many`, `over-quota` and `no-such-account`. */
export async function createMailbox(
  tx: Tx,
  { account, name, specialUse }: CreateMailbox,
): Promise<CreatedMailbox> {
  const modSeq = await nextModSeq(tx, account)
  return insertMailbox(tx, { account, name: parseMailboxName(name), specialUse, modSeq, subscribed: false })
}

/** `name` as `parseMailboxName` gave it; the account is locked and has reached `modSeq`. */
export async function insertMailbox(
  tx: Tx,
  args: {
    readonly account: AccountId
    readonly name: string
    readonly specialUse?: string | undefined
    readonly modSeq: ModSeq
    readonly subscribed: boolean
  },
): Promise<CreatedMailbox> {
  const { account, name, specialUse, modSeq, subscribed } = args
  if (await tx.get('SELECT id FROM mailbox WHERE account = ? AND name = ?', account, name)) {
    throw new StoreError('mailbox-exists', 'the mailbox exists')
  }
  if (specialUse !== undefined) await checkSpecialUse(tx, account, specialUse)
  await insertParents(tx, account, name, modSeq)
  const made = await insertRow(tx, account, name, specialUse, modSeq)
  const count = await tx.get<{ total: number; quota: number | null }>(
    `SELECT count(*) AS total, (SELECT quota_mailboxes FROM account WHERE id = ?) AS quota FROM mailbox WHERE account = ?`,
    account,
    account,
  )
  if (count && count.total > (count.quota ?? Infinity))
    throw new StoreError('over-quota', 'the account has all the mailboxes that it may have')
  if (count && count.total > limits.mailbox.perAccount) throw new StoreError('too-many', 'too many mailboxes')
  if (subscribed) {
    await tx.run(
      'INSERT INTO subscription (account, name) VALUES (?, ?) ON CONFLICT (account, name) DO NOTHING',
      account,
      name,
    )
  }
  return made
}

/** Makes the mailboxes above `name` that are missing (RFC 9051 §6.3.4: the server SHOULD). */
export async function insertParents(tx: Tx, account: AccountId, name: string, modSeq: ModSeq): Promise<void> {
  for (const parent of parentNames(name)) {
    const known = await tx.get('SELECT id FROM mailbox WHERE account = ? AND name = ?', account, parent)
    if (!known) await insertRow(tx, account, parent, undefined, modSeq)
  }
}

/** UIDVALIDITY is a counter of the account, so a mailbox that is deleted and made again has another one (RFC 9051 §2.3.1.1). */
async function insertRow(
  tx: Tx,
  account: AccountId,
  name: string,
  specialUse: string | undefined,
  modSeq: ModSeq,
): Promise<CreatedMailbox> {
  const ids = await tx.get<CreatedMailbox>(
    `UPDATE account SET next_mailbox = next_mailbox + 1, next_uid_validity = next_uid_validity + 1 WHERE id = ?
     RETURNING next_mailbox - 1 AS "mailbox", next_uid_validity - 1 AS "uidValidity"`,
    account,
  )
  if (!ids) throw new StoreError('no-such-account', 'the account is gone')
  await tx.run(
    `INSERT INTO mailbox (account, id, name, uid_validity, mod_seq, created_mod_seq, special_use, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    account,
    ids.mailbox,
    name,
    ids.uidValidity,
    modSeq,
    modSeq,
    specialUse ?? null,
    tx.nowMs,
  )
  await inheritRights(tx, account, ids.mailbox, name)
  return { mailbox: ids.mailbox, uidValidity: ids.uidValidity }
}

/** RFC 4314 §4: a new mailbox has the rights of the one above it. */
async function inheritRights(tx: Tx, account: AccountId, mailbox: MailboxId, name: string): Promise<void> {
  const parent = parentNames(name).at(-1)
  if (parent === undefined) return
  await tx.run(
    `INSERT INTO acl (account, mailbox, grantee, is_negative, rights)
     SELECT g.account, ?, g.grantee, g.is_negative, g.rights FROM mailbox m JOIN acl g ON g.account = m.account AND g.mailbox = m.id
     WHERE m.account = ? AND m.name = ?`,
    mailbox,
    account,
    parent,
  )
}
