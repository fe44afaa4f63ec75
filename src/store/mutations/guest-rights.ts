// What a guest may do, looked at again inside the transaction that does it. RFC 4314 §4.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import { findRights } from '../read/acl.ts'
import type { Rights } from '../rights.ts'
import type { Tx } from '../store.ts'
import { takeModSeq } from './next-mod-seq.ts'

export interface MailboxRef {
  readonly account: AccountId
  readonly mailbox: MailboxId
}

/** Locks accounts in the order of their ids, so that two transactions never wait for each other; each has its next modSeq. Throws `no-such-account`. */
export async function lockAccounts(
  tx: Tx,
  accounts: Iterable<AccountId>,
): Promise<ReadonlyMap<AccountId, ModSeq>> {
  const modSeqs = new Map<AccountId, ModSeq>()
  for (const account of [...new Set(accounts)].sort((a, b) => a - b))
    modSeqs.set(account, await takeModSeq(tx, account))
  return modSeqs
}

/**
 * What `guest` may do in a mailbox whose account is locked. Throws `no-such-mailbox` where he lacks one of `needed`: what he was told before holds
 * no longer, and he is not told more.
 */
export async function checkRights(
  tx: Tx,
  guest: AccountId,
  { account, mailbox }: MailboxRef,
  needed: Rights,
): Promise<Rights> {
  const rights = await findRights(tx, account, mailbox, guest)
  if ((rights & needed) !== needed) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  return rights
}
