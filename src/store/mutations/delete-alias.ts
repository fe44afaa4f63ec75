// Removes an alias or one of its targets.
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { directoryChanged } from './directory-changed.ts'

export interface DeleteAlias {
  readonly address: string
  /** All targets when undefined. */
  readonly target?: string | undefined
}

/** Throws `not-found`. */
export async function deleteAlias(tx: Tx, { address, target }: DeleteAlias): Promise<void> {
  const gone = await tx.run(
    'DELETE FROM alias WHERE address = ? AND (target = ? OR ? = 1)',
    address,
    target ?? '',
    target === undefined ? 1 : 0,
  )
  if (gone === 0) throw new StoreError('not-found', `there is no such alias ${address}`)
  directoryChanged(tx)
}
