// Deletes a bounded number of the rows of an account whose removal has begun; compaction frees the bodies' bytes.
import type { AccountId, ModSeq } from '../../base/ids.ts'
import type { Tx } from '../store.ts'
import { accountTables } from '../tables.ts'

export interface PurgeAccount {
  readonly account: AccountId
  /** Rows that one step may delete, so that others' mutations get their turn. */
  readonly limit: number
}

/** `isDone` when nothing is left, the account's row included; then also for an account that is not being removed: it deletes nothing of it. */
export async function purgeAccount(tx: Tx, { account, limit }: PurgeAccount): Promise<{ isDone: boolean }> {
  const found = await tx.get<{ mod_seq: ModSeq }>(
    `SELECT mod_seq FROM account WHERE id = ? AND state = 'removing'`,
    account,
  )
  if (!found) return { isDone: true }
  tx.changed(account, found.mod_seq)
  let rest = limit
  for (const { table, key } of accountTables) {
    const columns = key.filter(column => column !== 'account').join(', ')
    rest -= await tx.run(
      `DELETE FROM ${table} WHERE account = ? AND (${columns}) IN (SELECT ${columns} FROM ${table} WHERE account = ? LIMIT ?)`,
      account,
      account,
      rest,
    )
    if (rest <= 0) return { isDone: false }
  }
  await tx.run('DELETE FROM account WHERE id = ?', account)
  return { isDone: true }
}
