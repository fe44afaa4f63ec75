// How a store hears what the others on its database have done, and tells them: over a session of its own, or a port to the one that its process has.
import type { ChangeHint } from '../store.ts'

export interface News {
  /** Settles when it hears. Throws `StoreError`, and what a session ends with, when it does not before `deadline` (of `performance.now()`). */
  start(deadline: number): Promise<void>
  /** Tells the other stores, soon. */
  tell(hints: readonly ChangeHint[]): void
  /** Says a word without blanks to the other stores, soon. */
  say(word: string): void
  /** Tells what is still to tell, then ends. */
  close(): Promise<void>
}

export interface NewsEvents {
  /** Hints of other stores. */
  readonly onHints: (hints: readonly ChangeHint[]) => void
  /** What other stores say beside hints. */
  readonly onWord: (word: string) => void
  /** Hints may have been lost. */
  readonly onGap: () => void
}

/** What a store says to the hub of its process. */
export type ToHub =
  /** First of all: where it counts whom it watches (`account-counts.ts`), and how long hints may be gathered for it. */
  | { readonly kind: 'hello'; readonly watched: SharedArrayBuffer; readonly gatherHintsMs: number }
  /** All of one turn of its event loop. */
  | { readonly kind: 'news'; readonly hints: readonly ChangeHint[]; readonly words: readonly string[] }

/** What the hub says to a store. */
export type FromHub =
  | { readonly kind: 'hints'; readonly hints: readonly ChangeHint[] }
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'gap' }
