// Gives up a domain that has no accounts and no aliases any more.
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { directoryChanged } from './directory-changed.ts'

export interface DeleteDomain {
  readonly name: string
}

/** Throws `not-found`, and `in-use` while accounts or aliases have addresses in it. */
export async function deleteDomain(tx: Tx, { name }: DeleteDomain): Promise<void> {
  const inUse = await tx.get<{ address: string }>(
    `SELECT address FROM account WHERE substr(address, length(address) - length(?)) = '@' || ?
     UNION ALL SELECT address FROM alias WHERE substr(address, length(address) - length(?)) = '@' || ? LIMIT 1`,
    name,
    name,
    name,
    name,
  )
  if (inUse) throw new StoreError('in-use', `${inUse.address} uses the domain ${name}`)
  const gone = await tx.run('DELETE FROM domain WHERE name = ?', name)
  if (gone === 0) throw new StoreError('not-found', `there is no domain ${name}`)
  directoryChanged(tx)
}
