// Adds a credential to an account, such as an app password.
import type { AccountId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import type { NewCredential } from './create-account.ts'

export interface CreateCredential extends NewCredential {
  readonly account: AccountId
}

/** Throws `no-such-account`, `exists` when an app password has this name, and `too-many`. */
export async function createCredential(tx: Tx, args: CreateCredential): Promise<{ id: number }> {
  const count = await tx.get<{ total: number; same: number }>(
    `SELECT count(*) AS total, coalesce(sum(CASE WHEN kind = ? AND name = ? THEN 1 ELSE 0 END), 0) AS same
       FROM credential WHERE account = ?`,
    args.kind,
    args.name,
    args.account,
  )
  if (count && count.same > 0) throw new StoreError('exists', `a credential named ${args.name} exists`)
  if (count && count.total >= limits.account.credentials) {
    throw new StoreError('too-many', 'the account has too many credentials')
  }
  return { id: await insertCredential(tx, args.account, args) }
}

/** The id of the new row. Throws `no-such-account`. */
export async function insertCredential(
  tx: Tx,
  account: AccountId,
  credential: NewCredential,
  createdAt = tx.nowMs,
): Promise<number> {
  const next = await tx.get<{ id: number }>(
    `UPDATE account SET next_credential = next_credential + 1
      WHERE id = ? AND id > 0 AND state <> 'removing' RETURNING next_credential - 1 AS id`,
    account,
  )
  if (!next) throw new StoreError('no-such-account', 'the account is gone')
  await tx.run(
    `INSERT INTO credential (account, id, kind, name, secret, scopes, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    account,
    next.id,
    credential.kind,
    credential.name,
    credential.secret,
    JSON.stringify(credential.scopes),
    createdAt,
    credential.expiresAt ?? null,
  )
  return next.id
}
