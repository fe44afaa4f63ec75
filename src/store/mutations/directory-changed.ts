// Says that accounts, aliases or domains are not what they were, to whoever remembers where mail for an address goes.
import type { AccountId, ModSeq } from '../../base/ids.ts'
import type { Tx } from '../store.ts'

/** Stands for the directory in hints: no account has this id. */
export const directoryHint = -1 as AccountId

export function directoryChanged(tx: Tx): void {
  tx.changed(directoryHint, tx.nowMs as ModSeq)
}
