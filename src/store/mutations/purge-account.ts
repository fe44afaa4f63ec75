// Deletes a bounded number of the rows of an account whose removal has begun; compaction frees the bodies' bytes.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
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
  if (!(await purgeGuest(tx, account, rest))) return { isDone: false }
  await tx.run('DELETE FROM account WHERE id = ?', account)
  return { isDone: true }
}

/** What the account was given by others, and had in their mailboxes for itself. True when nothing is left. */
async function purgeGuest(tx: Tx, account: AccountId, limit: number): Promise<boolean> {
  let rest = limit
  rest -= await tx.run(
    `DELETE FROM acl WHERE grantee = ? AND (account, mailbox, is_negative) IN
       (SELECT account, mailbox, is_negative FROM acl WHERE grantee = ? LIMIT ?)`,
    account,
    account,
    rest,
  )
  while (rest > 0) {
    const place = await tx.get<{ account: AccountId; mailbox: MailboxId }>(
      'SELECT account, mailbox FROM guest WHERE guest = ? LIMIT 1',
      account,
    )
    if (!place) return true
    rest -= await tx.run(
      `DELETE FROM guest_seen WHERE account = ? AND mailbox = ? AND guest = ? AND uid <= (SELECT max(uid) FROM
         (SELECT uid FROM guest_seen WHERE account = ? AND mailbox = ? AND guest = ? ORDER BY uid LIMIT ?) AS part)`,
      place.account,
      place.mailbox,
      account,
      place.account,
      place.mailbox,
      account,
      rest,
    )
    if (rest <= 0) return false
    rest -= await tx.run(
      'DELETE FROM guest WHERE account = ? AND mailbox = ? AND guest = ?',
      place.account,
      place.mailbox,
      account,
    )
    await tx.run(
      'UPDATE mailbox SET guests = guests - 1 WHERE account = ? AND id = ?',
      place.account,
      place.mailbox,
    )
  }
  return false
}
