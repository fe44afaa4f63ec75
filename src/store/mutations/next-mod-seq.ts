// The first statement of each mutation of an account: its lock and its modSeq. RFC 7162 §3.1.
import type { AccountId, ModSeq } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'

/** Locks the account and takes its next modSeq; those who watch the account hear of it after the commit. Throws `no-such-account`. */
export async function nextModSeq(tx: Tx, account: AccountId): Promise<ModSeq> {
  const modSeq = await takeModSeq(tx, account)
  tx.changed(account, modSeq)
  return modSeq
}

/** Like `nextModSeq` for a mutation that may find nothing to change: it calls `tx.changed` when it does. */
export async function takeModSeq(tx: Tx, account: AccountId): Promise<ModSeq> {
  const row = await tx.get<{ mod_seq: ModSeq }>(
    'UPDATE account SET mod_seq = mod_seq + 1 WHERE id = ? RETURNING mod_seq',
    account,
  )
  if (!row) throw new StoreError('no-such-account', 'the account is gone')
  return row.mod_seq
}
