// Remembers where mail for an address goes: the same few thousand addresses get nearly all of it, and a look-up beside a writer that commits all the time is dear.
//
// Invariants: only addresses that exist are remembered; a change of the directory empties it, at once in the thread that makes it and with the hint of the commit
// in the others; an answer that was asked for before a change is not kept after it; a lost hint costs `limits.account.recipientCacheMs`.
import type { Awaitable } from '../base/awaitable.ts'
import { limits } from '../base/limits.ts'
import { Lru } from '../base/lru.ts'
import { directoryHint } from '../store/mutations/directory-changed.ts'
import type { Store } from '../store/store.ts'
import type { AccountConfig } from './config.ts'
import { type Recipient, resolveRecipient } from './resolve-recipient.ts'

export interface FoundRecipient {
  readonly resolved: Recipient
  /** Whether one of its accounts has a quota, so that its room is worth a question. */
  readonly hasQuota: boolean
}

export class RecipientCache {
  readonly #store: Store
  readonly #config: AccountConfig
  readonly #now: () => number
  readonly #known = new Lru<string, FoundRecipient & { readonly until: number }>(
    limits.account.recipientCache,
  )
  #isWatching = false
  #changes = 0

  /** `now` is a monotonic clock in milliseconds. */
  constructor(store: Store, config: AccountConfig, now: () => number = () => performance.now()) {
    this.#store = store
    this.#config = config
    this.#now = now
  }

  /** Like `resolveRecipient`; at once where it is remembered. */
  find(address: string): Awaitable<FoundRecipient> {
    const known = this.#known.get(address)
    return known !== undefined && known.until > this.#now() ? known : this.#find(address)
  }

  async #find(address: string): Promise<FoundRecipient> {
    if (!this.#isWatching) {
      this.#isWatching = true
      this.#store.watch(directoryHint, () => {
        this.#changes++
        this.#known.clear()
      })
    }
    const changes = this.#changes
    const resolved = await resolveRecipient(this.#store.reader, address, this.#config.addressing)
    const found = { resolved, hasQuota: await this.#hasQuota(resolved) }
    const isLasting = resolved.kind === 'accounts' || resolved.kind === 'forward'
    if (isLasting && changes === this.#changes)
      this.#known.set(address, { ...found, until: this.#now() + limits.account.recipientCacheMs })
    return found
  }

  async #hasQuota(resolved: Recipient): Promise<boolean> {
    if (resolved.kind !== 'accounts') return false
    const { bytes, messages } = this.#config.quota
    if (bytes !== null || messages !== null) return true
    for (const { account } of resolved.accounts) {
      const bounded = await this.#store.reader.get(
        'SELECT id FROM account WHERE id = ? AND (quota_bytes IS NOT NULL OR quota_messages IS NOT NULL)',
        account,
      )
      if (bounded) return true
    }
    return false
  }
}
