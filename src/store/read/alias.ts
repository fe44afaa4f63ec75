// Aliases, and everything that decides where mail for an address goes. RFC 5321 §3.9.
import type { AccountId } from '../../base/ids.ts'
import type { Reader } from '../store.ts'

export interface AliasRow {
  /** Normalised; '@domain' for a catch-all. */
  readonly address: string
  readonly target: string
  readonly createdAt: number
}

/** Up to `limit` aliases by address and target, beginning behind `after`. */
export async function listAliases(
  reader: Reader,
  after: { readonly address: string; readonly target: string } = { address: '', target: '' },
  limit = 1000,
): Promise<readonly AliasRow[]> {
  return reader.all<AliasRow>(
    `SELECT address, target, created_at AS "createdAt" FROM alias
      WHERE address > ? OR (address = ? AND target > ?) ORDER BY address, target LIMIT ?`,
    after.address,
    after.address,
    after.target,
    limit,
  )
}

export interface RouteRow {
  /** Which of the three tables answers. */
  readonly kind: 'domain' | 'account' | 'alias'
  /** The name that was asked for. */
  readonly name: string
  /** An alias's target. */
  readonly target: string | null
  /** An account's id. */
  readonly account: AccountId | null
}

/**
 * What the directory knows of `names` (addresses and '@domain') and of `domain`, in one read. Accounts that are being removed are unknown;
 * disabled ones get their mail. At most `limit` rows.
 */
export async function findRoutes(
  reader: Reader,
  domain: string,
  names: readonly string[],
  limit: number,
): Promise<readonly RouteRow[]> {
  const list = names.map(() => '?').join(', ')
  return reader.all<RouteRow>(
    `SELECT 'domain' AS kind, name, NULL AS target, NULL AS account FROM domain WHERE name = ?
     UNION ALL SELECT 'account', address, NULL, id FROM account WHERE address IN (${list}) AND id > 0 AND state <> 'removing'
     UNION ALL SELECT 'alias', address, target, NULL FROM alias WHERE address IN (${list})
     LIMIT ?`,
    domain,
    ...names,
    ...names,
    limit,
  )
}
