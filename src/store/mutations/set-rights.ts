// Changes one entry of a mailbox's ACL. RFC 4314 §3.1, §3.2.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import { anyone } from '../read/acl.ts'
import type { Rights } from '../rights.ts'
import type { Tx } from '../store.ts'
import { lockAccounts } from './guest-rights.ts'

export interface SetRights {
  readonly account: AccountId
  readonly mailbox: MailboxId
  /** An account other than the owner, or `anyone`. */
  readonly grantee: AccountId
  /** The entry takes rights away, whatever gives them. */
  readonly isNegative: boolean
  readonly mode: 'replace' | 'add' | 'remove'
  readonly rights: Rights
}

/** An entry without rights is removed. Throws `no-such-mailbox`, `not-found` (the grantee), and `too-many`. */
export async function setRights(
  tx: Tx,
  { account, mailbox, grantee, isNegative, mode, rights }: SetRights,
): Promise<{ readonly modSeq: ModSeq }> {
  // The grantee's modSeq too: what he sees has changed. That of anyone is the server's own, which all watch who want to know.
  const modSeqs = await lockAccounts(tx, [account, grantee])
  const modSeq = modSeqs.get(account) as ModSeq
  const negative = isNegative ? 1 : 0
  if (!(await tx.get('SELECT id FROM mailbox WHERE account = ? AND id = ?', account, mailbox)))
    throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  if (
    grantee === account ||
    (grantee !== anyone &&
      !(await tx.get(`SELECT id FROM account WHERE id = ? AND state <> 'removing'`, grantee)))
  )
    throw new StoreError('not-found', 'nobody to give rights to')
  const known = await tx.get<{ rights: Rights }>(
    'SELECT rights FROM acl WHERE account = ? AND mailbox = ? AND grantee = ? AND is_negative = ?',
    account,
    mailbox,
    grantee,
    negative,
  )
  const before = known?.rights ?? 0
  const after = mode === 'replace' ? rights : mode === 'add' ? before | rights : before & ~rights
  if (after === before) return { modSeq }
  if (after === 0) {
    await tx.run(
      'DELETE FROM acl WHERE account = ? AND mailbox = ? AND grantee = ? AND is_negative = ?',
      account,
      mailbox,
      grantee,
      negative,
    )
  } else {
    await tx.run(
      `INSERT INTO acl (account, mailbox, grantee, is_negative, rights) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (account, mailbox, grantee, is_negative) DO UPDATE SET rights = excluded.rights`,
      account,
      mailbox,
      grantee,
      negative,
      after,
    )
    const count = await tx.get<{ total: number }>(
      'SELECT count(*) AS total FROM acl WHERE account = ? AND mailbox = ?',
      account,
      mailbox,
    )
    if (count && count.total > limits.acl.entries)
      throw new StoreError('too-many', 'the mailbox is shared with too many')
  }
  for (const [who, reached] of modSeqs) tx.changed(who, reached)
  return { modSeq }
}
