// Which names a user's programs show. RFC 9051 §6.3.7 and §6.3.8: a name may be subscribed that no mailbox has.
import type { AccountId, ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import { parseMailboxName } from '../mailbox-name.ts'
import type { Tx } from '../store.ts'
import { nextModSeq } from './next-mod-seq.ts'

export interface SetSubscription {
  readonly account: AccountId
  readonly name: string
  readonly subscribed: boolean
}

/** Throws `invalid-name` and `too-many`. Nothing changes when it is so already. */
export async function setSubscription(
  tx: Tx,
  { account, name, subscribed }: SetSubscription,
): Promise<{ modSeq: ModSeq }> {
  const parsed = parseMailboxName(name)
  const modSeq = await nextModSeq(tx, account)
  if (!subscribed) {
    await tx.run('DELETE FROM subscription WHERE account = ? AND name = ?', account, parsed)
    return { modSeq }
  }
  await tx.run(
    'INSERT INTO subscription (account, name) VALUES (?, ?) ON CONFLICT (account, name) DO NOTHING',
    account,
    parsed,
  )
  const count = await tx.get<{ total: number }>(
    'SELECT count(*) AS total FROM subscription WHERE account = ?',
    account,
  )
  if (count && count.total > limits.mailbox.perAccount)
    throw new StoreError('too-many', 'too many subscriptions')
  return { modSeq }
}
