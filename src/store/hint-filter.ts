// The hints that another thread of this process wants: of accounts that it watches, gathered where it is in no hurry.
import type { AccountId, ModSeq } from '../base/ids.ts'
import type { AccountCounts } from './account-counts.ts'
import type { ChangeHint } from './store.ts'

export class HintFilter {
  readonly #watched: AccountCounts
  readonly #gatherMs: number
  readonly #tell: (hints: readonly ChangeHint[]) => void
  /** They wait for more. */
  readonly #gathered = new Map<AccountId, ModSeq>()
  #gathering: NodeJS.Timeout | undefined

  /** `tell` is called with what was gathered for `gatherMs`; never where that is 0. */
  constructor(watched: AccountCounts, gatherMs: number, tell: (hints: readonly ChangeHint[]) => void) {
    this.#watched = watched
    this.#gatherMs = gatherMs
    this.#tell = tell
  }

  /** Those of `hints` that are to be told at once. */
  take(hints: readonly ChangeHint[]): readonly ChangeHint[] {
    const watched = hints.filter(({ account }) => this.#watched.of(account) !== 0)
    if (this.#gatherMs === 0) return watched
    for (const { account, modSeq } of watched) this.#gathered.set(account, modSeq)
    if (watched.length > 0) this.#gathering ??= setTimeout(() => this.#tellGathered(), this.#gatherMs).unref()
    return []
  }

  close(): void {
    clearTimeout(this.#gathering)
  }

  #tellGathered(): void {
    this.#gathering = undefined
    const hints = Array.from(this.#gathered, ([account, modSeq]) => ({ account, modSeq }))
    this.#gathered.clear()
    this.#tell(hints)
  }
}
