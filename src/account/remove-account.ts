// Removes an account in bounded steps, so that everybody else's mail goes on meanwhile.
import type { AccountId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import type { Store } from '../store/store.ts'

/**
 * Removes the account with its mail, credentials and the aliases that lead to it. Nobody can log in any more, and its address is free, once the
 * first step is committed; the rows and bodies go in steps, and what a stop interrupts the store's maintenance ends. Throws `StoreError` `no-such-account`.
 */
export async function removeAccount(store: Store, account: AccountId): Promise<void> {
  await store.mutate('beginAccountRemoval', { account })
  for (let isDone = false; !isDone; ) {
    ;({ isDone } = await store.mutate('purgeAccount', { account, limit: limits.account.purgeRows }))
  }
}
