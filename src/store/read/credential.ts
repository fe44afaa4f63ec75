// Credentials: what proves who someone is. The secrets here are hashes, except for `shared-secret`.
import type { AccountId } from '../../base/ids.ts'
import type { Reader } from '../store.ts'
import type { AccountKind, AccountState } from './account.ts'

/**
 * `password`: argon2id. `app-password`: SHA-256 of a random one. `scram-*`: RFC 5802 keys of the password.
 * `shared-secret`: the secret itself, which CRAM-MD5 (RFC 2195) and APOP (RFC 1939 §7) cannot do without.
 */
export type CredentialKind = 'password' | 'app-password' | 'scram-sha-1' | 'scram-sha-256' | 'shared-secret'

export interface CredentialRow {
  readonly id: number
  readonly kind: CredentialKind
  readonly name: string
  readonly secret: string
  /** A JSON array of scopes; empty for all. */
  readonly scopes: string
  readonly createdAt: number
  readonly expiresAt: number | null
}

export interface LoginRow {
  readonly account: AccountId
  readonly address: string
  readonly kind: AccountKind
  readonly state: AccountState
  readonly isAdmin: boolean
  readonly credentials: readonly CredentialRow[]
}

const credentialColumns = 'c.id, c.kind, c.name, c.secret, c.scopes, c.created_at, c.expires_at'

type CredentialColumns = readonly [
  number | null,
  CredentialKind,
  string,
  string,
  string,
  number,
  number | null,
]

/** Which credentials a log-in may be proved by; who shows a password has no use for the keys of SCRAM. */
export type LoginCredentials = 'all' | 'no-scram'

const joined: Readonly<Record<LoginCredentials, string>> = {
  all: '',
  'no-scram': "AND c.kind NOT IN ('scram-sha-1', 'scram-sha-256')",
}

/** What a log-in as `address` (normalised) needs, in one read; undefined for an unknown one. */
export async function findLogin(
  reader: Reader,
  address: string,
  which: LoginCredentials = 'all',
): Promise<LoginRow | undefined> {
  const rows = await reader.arrays<
    readonly [AccountId, string, AccountKind, AccountState, number, ...CredentialColumns]
  >(
    `SELECT a.id, a.address, a.kind, a.state, a.is_admin, ${credentialColumns}
       FROM account a LEFT JOIN credential c ON c.account = a.id ${joined[which]}
      WHERE a.address = ? AND a.id > 0 AND a.state <> 'removing' ORDER BY c.id`,
    address,
  )
  const first = rows[0]
  if (!first) return undefined
  const [account, address_, kind, state, isAdmin] = first
  const credentials: CredentialRow[] = []
  for (const [, , , , , ...credential] of rows) {
    const row = credentialRow(credential)
    if (row) credentials.push(row)
  }
  return { account, address: address_, kind, state, isAdmin: isAdmin !== 0, credentials }
}

/** The credentials of an account, oldest first. */
export async function listCredentials(reader: Reader, account: AccountId): Promise<readonly CredentialRow[]> {
  const rows = await reader.arrays<CredentialColumns>(
    `SELECT ${credentialColumns} FROM credential c WHERE c.account = ? ORDER BY c.id`,
    account,
  )
  return rows.flatMap(columns => credentialRow(columns) ?? [])
}

function credentialRow(columns: CredentialColumns): CredentialRow | undefined {
  const [id, kind, name, secret, scopes, createdAt, expiresAt] = columns
  return id === null ? undefined : { id, kind, name, secret, scopes, createdAt, expiresAt }
}
