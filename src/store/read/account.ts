// Accounts as the directory shows them.
import type { AccountId } from '../../base/ids.ts'
import type { Reader } from '../store.ts'

/** `removing` accounts are gone for everybody but `purgeAccount`. */
export type AccountState = 'active' | 'disabled' | 'removing'

/** A person's, or a shared one: nobody logs in as that, it owns mailboxes that several use. */
export type AccountKind = 'person' | 'shared'

export interface AccountRow {
  readonly id: AccountId
  readonly address: string
  readonly displayName: string
  readonly kind: AccountKind
  readonly state: AccountState
  readonly isAdmin: boolean
  /** Undefined: the server's default. */
  readonly quotaBytes: number | undefined
  readonly quotaMessages: number | undefined
  readonly usedBytes: number
  readonly usedMessages: number
  readonly createdAt: number
}

interface Columns extends Omit<AccountRow, 'isAdmin' | 'quotaBytes' | 'quotaMessages'> {
  readonly isAdmin: number
  readonly quotaBytes: number | null
  readonly quotaMessages: number | null
}

const columns = `id, address, display_name AS "displayName", kind, state, is_admin AS "isAdmin", quota_bytes AS "quotaBytes",
  quota_messages AS "quotaMessages", used_bytes AS "usedBytes", used_messages AS "usedMessages", created_at AS "createdAt"`

/** The account of this id, or undefined. */
export async function findAccount(reader: Reader, account: AccountId): Promise<AccountRow | undefined> {
  const row = await reader.get<Columns>(`SELECT ${columns} FROM account WHERE id = ? AND id > 0`, account)
  return row && accountRow(row)
}

/** The account of this address (normalised), or undefined. Aliases are not looked at. */
export async function findAccountByAddress(reader: Reader, address: string): Promise<AccountRow | undefined> {
  const row = await reader.get<Columns>(
    `SELECT ${columns} FROM account WHERE address = ? AND id > 0`,
    address,
  )
  return row && accountRow(row)
}

/** Up to `limit` accounts by address, beginning behind `after`. */
export async function listAccounts(reader: Reader, after = '', limit = 1000): Promise<readonly AccountRow[]> {
  const rows = await reader.all<Columns>(
    `SELECT ${columns} FROM account WHERE address > ? AND id > 0 AND state <> 'removing' ORDER BY address LIMIT ?`,
    after,
    limit,
  )
  return rows.map(accountRow)
}

/** The addresses of up to `limit` active administrators. */
export async function listAdministrators(reader: Reader, limit: number): Promise<readonly AccountRow[]> {
  const rows = await reader.all<Columns>(
    `SELECT ${columns} FROM account WHERE is_admin = 1 AND state = 'active' AND id > 0 ORDER BY id LIMIT ?`,
    limit,
  )
  return rows.map(accountRow)
}

function accountRow(row: Columns): AccountRow {
  return {
    ...row,
    isAdmin: row.isAdmin !== 0,
    quotaBytes: row.quotaBytes ?? undefined,
    quotaMessages: row.quotaMessages ?? undefined,
  }
}
