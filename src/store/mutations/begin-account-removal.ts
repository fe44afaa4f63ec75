// Begins the removal of an account: from the commit on it is unknown, its address is free and nobody can log in.
import type { AccountId, ModSeq } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { directoryChanged, standingChanged } from './directory-changed.ts'

export interface BeginAccountRemoval {
  readonly account: AccountId
}

/** `purgeAccount` does the rest. Aliases that lead to the account lose that target. Throws `no-such-account`. */
export async function beginAccountRemoval(tx: Tx, { account }: BeginAccountRemoval): Promise<void> {
  const found = await tx.get<{ address: string; mod_seq: ModSeq }>(
    `SELECT address, mod_seq FROM account WHERE id = ? AND id > 0 AND state <> 'removing'`,
    account,
  )
  if (!found) throw new StoreError('no-such-account', 'the account is gone')
  await Promise.all([
    tx.run(
      `UPDATE account SET mod_seq = mod_seq + 1, state = 'removing', address = ? WHERE id = ?`,
      `removing:${account}`,
      account,
    ),
    tx.run('DELETE FROM credential WHERE account = ?', account),
    tx.run('DELETE FROM alias WHERE target = ?', found.address),
  ])
  tx.changed(account, (found.mod_seq + 1) as ModSeq)
  directoryChanged(tx)
  standingChanged(tx, account)
}
