// What a mailbox is for. RFC 6154; RFC 8457 (\Important).
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { nextModSeq } from './next-mod-seq.ts'

export interface SetSpecialUse {
  readonly account: AccountId
  readonly mailbox: MailboxId
  /** `\Sent` and so on; undefined for none. */
  readonly specialUse: string | undefined
}

/** Throws `no-such-mailbox`, `special-use-taken` and `invalid-name` (not a use that can be given). */
export async function setSpecialUse(
  tx: Tx,
  { account, mailbox, specialUse }: SetSpecialUse,
): Promise<{ modSeq: ModSeq }> {
  const modSeq = await nextModSeq(tx, account)
  const known = await tx.get<{ special_use: string | null }>(
    'SELECT special_use FROM mailbox WHERE account = ? AND id = ?',
    account,
    mailbox,
  )
  if (!known) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  if (specialUse !== undefined && known.special_use !== specialUse)
    await checkSpecialUse(tx, account, specialUse)
  await tx.run(
    'UPDATE mailbox SET special_use = ?, mod_seq = ? WHERE account = ? AND id = ?',
    specialUse ?? null,
    modSeq,
    account,
    mailbox,
  )
  return { modSeq }
}

/** `\All` and `\Flagged` would be views over other mailboxes, which the store does not have. */
const givenUses: readonly string[] = ['\\Archive', '\\Drafts', '\\Important', '\\Junk', '\\Sent', '\\Trash']

/** Throws `special-use-taken` when another mailbox of the account has it: programs would not know where to put things. */
export async function checkSpecialUse(tx: Tx, account: AccountId, specialUse: string): Promise<void> {
  if (!givenUses.includes(specialUse)) throw new StoreError('invalid-name', 'not a special use')
  const taken = await tx.get(
    'SELECT id FROM mailbox WHERE account = ? AND special_use = ?',
    account,
    specialUse,
  )
  if (taken) throw new StoreError('special-use-taken', 'another mailbox has this special use')
}
