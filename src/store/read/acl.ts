// Reads of rights, and of mailboxes that others share. RFC 4314.
//
// Guests see their own \Seen: counts and modSeqs here are theirs.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { allRights, combineRights, type Rights } from '../rights.ts'
import type { Reader } from '../store.ts'
import type { AccountKind } from './account.ts'
import type { Mailbox } from './mailboxes.ts'

/** Stands for everybody in an ACL: no account has this id. */
export const anyone = 0 as AccountId

/** One entry of a mailbox's ACL. */
export interface AclEntry {
  readonly grantee: AccountId
  /** Undefined for anyone. */
  readonly address: string | undefined
  readonly isNegative: boolean
  readonly rights: Rights
}

/** A mailbox of another account, as a guest sees it. */
export interface SharedMailbox extends Mailbox {
  readonly account: AccountId
  readonly ownerAddress: string
  readonly ownerKind: AccountKind
  readonly rights: Rights
}

/** The entries of a mailbox's ACL, anyone first, then by address; without those of accounts that are being removed. */
export async function listAcl(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
): Promise<readonly AclEntry[]> {
  const rows = await reader.all<{
    grantee: AccountId
    address: string
    isNegative: number
    rights: Rights
  }>(
    `SELECT g.grantee, a.address, g.is_negative AS "isNegative", g.rights FROM acl g JOIN account a ON a.id = g.grantee
     WHERE g.account = ? AND g.mailbox = ? AND a.state <> 'removing' ORDER BY a.address, g.is_negative`,
    account,
    mailbox,
  )
  return rows.map(row => ({
    ...row,
    address: row.grantee === anyone ? undefined : row.address,
    isNegative: row.isNegative !== 0,
  }))
}

/** What `guest` may do in a mailbox; all of it where he is the owner, nothing where there is no such mailbox. */
export async function findRights(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
  guest: AccountId,
): Promise<Rights> {
  if (account === guest) return allRights
  const rows = await reader.all<{ isNegative: number; rights: Rights }>(
    `SELECT is_negative AS "isNegative", rights FROM acl WHERE account = ? AND mailbox = ? AND grantee IN (0, ?)`,
    account,
    mailbox,
    guest,
  )
  return combineRights(rows.map(({ isNegative, rights }) => ({ isNegative: isNegative !== 0, rights })))
}

interface SharedRow extends Mailbox {
  readonly account: AccountId
  readonly ownerAddress: string
  readonly ownerKind: AccountKind
  readonly isNegative: number
  readonly rights: Rights
  readonly guestModSeq: ModSeq
  readonly guestSeen: number
}

/** One row for each entry of an ACL that speaks of the guest. */
const columns = `m.id, m.name, m.uid_validity AS "uidValidity", m.uid_next AS "uidNext", m.mod_seq AS "modSeq", m.total, m.unseen, m.deleted,
  m.size_bytes AS "sizeBytes", m.recent_uid AS "recentUid", m.special_use AS "specialUse", m.account, o.address AS "ownerAddress",
  o.kind AS "ownerKind", g.is_negative AS "isNegative", g.rights, coalesce(s.mod_seq, 0) AS "guestModSeq", coalesce(s.seen, 0) AS "guestSeen"`

/** The mailbox that an account of that kind and address calls `name`, where it lets `guest` do anything. One read, whatever the answer is. */
export async function findShared(
  reader: Reader,
  guest: AccountId,
  owner: { readonly address: string; readonly kind: AccountKind },
  name: string,
): Promise<SharedMailbox | undefined> {
  const rows = await reader.all<SharedRow>(
    `SELECT ${columns} FROM account o JOIN mailbox m ON m.account = o.id
       JOIN acl g ON g.account = m.account AND g.mailbox = m.id AND g.grantee IN (0, ?)
       LEFT JOIN guest s ON s.account = m.account AND s.mailbox = m.id AND s.guest = ?
     WHERE o.address = ? AND o.kind = ? AND o.state <> 'removing' AND o.id NOT IN (0, ?) AND m.name = ?`,
    guest,
    guest,
    owner.address,
    owner.kind,
    guest,
    name,
  )
  return sharedMailboxes(rows)[0]
}

/** The number stands in the text: SQLite prepares a statement with `LIMIT ?` anew each time, which costs ten times the read. */
const listSql = `SELECT ${columns} FROM acl g JOIN mailbox m ON m.account = g.account AND m.id = g.mailbox
   JOIN account o ON o.id = g.account
   LEFT JOIN guest s ON s.account = m.account AND s.mailbox = m.id AND s.guest = ?
 WHERE g.grantee IN (0, ?) AND o.state <> 'removing' AND o.id <> ? ORDER BY g.account, g.mailbox LIMIT ${limits.acl.visible}`

/** The mailboxes that others share with `guest`, by owner and id; as many as `limits.acl.visible` entries of theirs speak of. */
export async function listShared(reader: Reader, guest: AccountId): Promise<readonly SharedMailbox[]> {
  return sharedMailboxes(await reader.all<SharedRow>(listSql, guest, guest, guest))
}

function sharedMailboxes(rows: readonly SharedRow[]): readonly SharedMailbox[] {
  const grouped = new Map<string, SharedRow[]>()
  for (const row of rows) {
    const key = `${row.account}/${row.id}`
    const group = grouped.get(key)
    if (group) group.push(row)
    else grouped.set(key, [row])
  }
  const mailboxes: SharedMailbox[] = []
  for (const [row, ...more] of grouped.values()) {
    if (!row) continue
    const { guestModSeq, guestSeen, isNegative: _entry, ...mailbox } = row
    mailboxes.push({
      ...mailbox,
      rights: combineRights(
        [row, ...more].map(({ isNegative, rights }) => ({ isNegative: isNegative !== 0, rights })),
      ),
      modSeq: Math.max(row.modSeq, guestModSeq) as ModSeq,
      unseen: row.total - guestSeen,
      // What is \Recent is between the owner's sessions, and what he sends from here is not what a guest sends.
      recentUid: row.uidNext,
      specialUse: null,
    })
  }
  return mailboxes
}

/** The modSeq of the last change of a guest's own \Seen; 0 where he has never changed it. */
export async function findGuestModSeq(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
  guest: AccountId,
): Promise<ModSeq> {
  const row = await reader.get<{ modSeq: ModSeq }>(
    'SELECT mod_seq AS "modSeq" FROM guest WHERE account = ? AND mailbox = ? AND guest = ?',
    account,
    mailbox,
    guest,
  )
  return row?.modSeq ?? (0 as ModSeq)
}

/** The changes of a guest's \Seen after `modSeq`. */
export async function listGuestSeen(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId,
  guest: AccountId,
  modSeq: ModSeq,
): Promise<readonly (readonly [uid: number, isSeen: number, modSeq: number])[]> {
  return await reader.arrays<readonly [uid: number, isSeen: number, modSeq: number]>(
    `SELECT uid, is_seen, mod_seq FROM guest_seen WHERE account = ? AND mailbox = ? AND guest = ? AND mod_seq > ?`,
    account,
    mailbox,
    guest,
    modSeq,
  )
}

/** The deepest of `names` that a mailbox of the owner has, and what the guest may do there. One read, whatever the answer is. */
export async function findNearest(
  reader: Reader,
  guest: AccountId,
  owner: { readonly address: string; readonly kind: AccountKind },
  names: readonly string[],
): Promise<
  | {
      readonly account: AccountId
      readonly id: MailboxId
      readonly name: string
      readonly rights: Rights
    }
  | undefined
> {
  const marks = names.map(() => '?').join(', ')
  const rows = await reader.all<{
    account: AccountId
    id: MailboxId
    name: string
    isNegative: number | null
    rights: Rights | null
  }>(
    `SELECT m.account, m.id, m.name, g.is_negative AS "isNegative", g.rights FROM account o JOIN mailbox m ON m.account = o.id
       LEFT JOIN acl g ON g.account = m.account AND g.mailbox = m.id AND g.grantee IN (0, ?)
     WHERE o.address = ? AND o.kind = ? AND o.state <> 'removing' AND o.id NOT IN (0, ?) AND m.name IN (${marks || 'NULL'})`,
    guest,
    owner.address,
    owner.kind,
    guest,
    ...names,
  )
  const depth = (name: string) => name.split('/').length
  const nearest = rows.toSorted((a, b) => depth(b.name) - depth(a.name))[0]
  if (!nearest) return undefined
  const entries = rows.filter(({ id }) => id === nearest.id)
  return {
    account: nearest.account,
    id: nearest.id,
    name: nearest.name,
    rights: combineRights(
      entries.map(({ isNegative, rights }) => ({ isNegative: isNegative === 1, rights: rights ?? 0 })),
    ),
  }
}
