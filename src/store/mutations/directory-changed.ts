// Says that accounts, aliases or domains are not what they were, to whoever remembers where mail for an address goes.
import type { AccountId, ModSeq } from '../../base/ids.ts'
import type { Tx } from '../store.ts'

/** Stands for the directory in hints: no account has this id. */
export const directoryHint = -1 as AccountId

/** Stands in hints for what the log-ins of one account depend on: its state and its credentials. */
export function standingHint(account: AccountId): AccountId {
  return (-2 - account) as AccountId
}

/** Says that sessions of the account may have to end. */
export function standingChanged(tx: Tx, account: AccountId): void {
  tx.changed(standingHint(account), tx.nowMs as ModSeq)
}

export function directoryChanged(tx: Tx): void {
  tx.changed(directoryHint, tx.nowMs as ModSeq)
}
