// Who wants to hear that an account changed.
import type { AccountId, ModSeq } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { AccountCounts } from './account-counts.ts'
import type { ChangeHint } from './store.ts'

export class Watchers {
  readonly #listeners = new Map<AccountId, Set<{ readonly call: (hint: ChangeHint) => void }>>()
  readonly #ofAll = new Set<(hints: readonly ChangeHint[]) => void>()
  readonly #log: Log
  readonly #counts: AccountCounts | undefined

  /** `counts` tell another thread's writer who is watched. */
  constructor(log: Log, counts?: AccountCounts) {
    this.#log = log
    this.#counts = counts
  }

  watch(account: AccountId, call: (hint: ChangeHint) => void): () => void {
    const entry = { call }
    const listeners = this.#listeners.get(account) ?? new Set()
    listeners.add(entry)
    this.#listeners.set(account, listeners)
    this.#counts?.add(account)
    return () => {
      if (!listeners.delete(entry)) return
      this.#counts?.add(account, -1)
      if (listeners.size === 0 && this.#listeners.get(account) === listeners) this.#listeners.delete(account)
    }
  }

  /** Hears of every account, for as long as the store is open. */
  watchAll(call: (hints: readonly ChangeHint[]) => void): void {
    this.#ofAll.add(call)
    this.#counts?.addAll()
  }

  tell(hints: readonly ChangeHint[]): void {
    for (const call of this.#ofAll) call(hints)
    for (const hint of hints) {
      for (const { call } of Array.from(this.#listeners.get(hint.account) ?? [])) {
        try {
          call(hint)
        } catch (error) {
          this.#log.error(
            { err: error instanceof Error ? error : undefined, account: hint.account },
            'a watcher failed',
          )
        }
      }
    }
  }

  /** Hints may have been lost: tells everyone to look. */
  tellAll(): void {
    this.tell(Array.from(this.#listeners.keys(), account => ({ account, modSeq: 0 as ModSeq })))
  }

  clear(): void {
    this.#listeners.clear()
    this.#ofAll.clear()
  }
}
