// Removes an account in bounded steps, so that everybody else's mail goes on meanwhile.
import type { AccountId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { listRemovals } from '../store/read/account.ts'
import type { Store } from '../store/store.ts'

/**
 * Removes the account with its mail, credentials and the aliases that lead to it. Nobody can log in any more, and its address is free, once the
 * first step is committed; the rows and bodies go in steps. Throws `StoreError` `no-such-account`.
 */
export async function removeAccount(store: Store, account: AccountId, signal?: AbortSignal): Promise<void> {
  await store.mutate('beginAccountRemoval', { account })
  await purge(store, account, signal)
}

/** Ends the removals that a stop of the server has interrupted. Call it at start; ends early, without an error, when `signal` says so. */
export async function finishRemovals(store: Store, signal?: AbortSignal): Promise<void> {
  for (const account of await listRemovals(store.reader)) await purge(store, account, signal)
}

async function purge(store: Store, account: AccountId, signal: AbortSignal | undefined): Promise<void> {
  while (signal?.aborted !== true) {
    const { isDone } = await store.mutate('purgeAccount', { account, limit: limits.account.purgeRows })
    if (isDone) return
  }
}
