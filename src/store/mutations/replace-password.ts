// Sets the password of an account: every credential made of the old one goes, those of the new one come, in one transaction.
import type { AccountId } from '../../base/ids.ts'
import type { Tx } from '../store.ts'
import type { NewCredential } from './create-account.ts'
import { insertCredential } from './create-credential.ts'
import { standingChanged } from './directory-changed.ts'

export interface ReplacePassword {
  readonly account: AccountId
  /** The hash, the SCRAM keys and, where the owner opted in, the shared secret. Empty: no password log-in. */
  readonly credentials: readonly NewCredential[]
  /**
   * Replaces only while this is the stored hash: an upgrade of its parameters must not undo a change of password that came between.
   * The answer says whether it was.
   */
  readonly ifSecret?: string | undefined
}

/** Throws `no-such-account`. */
export async function replacePassword(
  tx: Tx,
  { account, credentials, ifSecret }: ReplacePassword,
): Promise<{ replaced: boolean }> {
  let createdAt: number | undefined
  if (ifSecret !== undefined) {
    const same = await tx.get<{ created_at: number }>(
      `SELECT created_at FROM credential WHERE account = ? AND kind = 'password' AND secret = ?`,
      account,
      ifSecret,
    )
    if (!same) return { replaced: false }
    // It is the same password, and sessions that it has opened go on.
    createdAt = same.created_at
  } else standingChanged(tx, account)
  // A shared secret of its own (name '') stays: it is not made of the password.
  await tx.run(
    `DELETE FROM credential WHERE account = ? AND (kind IN ('password', 'scram-sha-1', 'scram-sha-256')
        OR (kind = 'shared-secret' AND name = 'password'))`,
    account,
  )
  for (const credential of credentials) await insertCredential(tx, account, credential, createdAt)
  return { replaced: true }
}
