// Adds targets to an alias. RFC 5321 §3.9.1.
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { directoryChanged } from './directory-changed.ts'

export interface CreateAlias {
  /** Normalised; '@domain' for the catch-all of a domain. */
  readonly address: string
  readonly domain: string
  /** Normalised addresses, local or remote. The address itself means the account of that address: forward and keep. */
  readonly targets: readonly string[]
}

/** Throws `not-found` when the domain is not ours, `exists` when every target is there already, `loop` and `too-many`. */
export async function createAlias(tx: Tx, { address, domain, targets }: CreateAlias): Promise<void> {
  if (!(await tx.get('SELECT name FROM domain WHERE name = ?', domain))) {
    throw new StoreError('not-found', `the domain ${domain} is not ours`)
  }
  let made = 0
  for (const target of targets) {
    made += await tx.run(
      'INSERT INTO alias (address, target, created_at) VALUES (?, ?, ?) ON CONFLICT (address, target) DO NOTHING',
      address,
      target,
      tx.nowMs,
    )
  }
  if (made === 0) throw new StoreError('exists', `the alias ${address} has these targets`)
  const count = await tx.get<{ total: number }>(
    'SELECT count(*) AS total FROM alias WHERE address = ?',
    address,
  )
  if (count && count.total > limits.account.aliasTargets) {
    throw new StoreError('too-many', `the alias ${address} has too many targets`)
  }
  // Whether the address is reached from itself in one step or more. UNION keeps each address once, so this ends.
  const loop = await tx.get(
    `WITH RECURSIVE reached (address) AS (
       SELECT target FROM alias WHERE address = ? AND target <> address
       UNION SELECT a.target FROM alias a JOIN reached r ON a.address = r.address WHERE a.target <> a.address
     ) SELECT address FROM reached WHERE address = ?`,
    address,
    address,
  )
  const own = targets.includes(address)
  if (loop || (own && !(await tx.get('SELECT id FROM account WHERE address = ?', address)))) {
    throw new StoreError('loop', `the alias ${address} would lead to itself`)
  }
  directoryChanged(tx)
}
