// Takes a credential back. Log-ins with it fail from the commit on.
import type { AccountId } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { CredentialKind } from '../read/credential.ts'
import type { Tx } from '../store.ts'
import { standingChanged } from './directory-changed.ts'

export interface DeleteCredential {
  readonly account: AccountId
  readonly kind: CredentialKind
  /** The one of this name; all of the kind when undefined. */
  readonly name?: string | undefined
}

/** Throws `not-found` when there is none. */
export async function deleteCredential(tx: Tx, { account, kind, name }: DeleteCredential): Promise<void> {
  const gone = await tx.run(
    'DELETE FROM credential WHERE account = ? AND kind = ? AND (name = ? OR ? = 1)',
    account,
    kind,
    name ?? '',
    name === undefined ? 1 : 0,
  )
  if (gone === 0) throw new StoreError('not-found', `there is no ${kind} of that name`)
  standingChanged(tx, account)
}
