// Which passwords were found right lately, so that a client that polls does not cost a hash each time.
//
// An entry is a SHA-256 of a secret of this thread, the account, its stored hash and the password. So it cannot be another user's (CVE-2025-30189),
// it tells nothing of the password, and when the stored hash changes the entry can never be found again: nothing has to be emptied in any thread.
import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { Lru } from '../base/lru.ts'

export class VerifiedPasswords {
  readonly #secret = randomBytes(32).toString('base64')
  readonly #verified = new Lru<string, number>(limits.account.verified)
  readonly #pending = new Map<string, Promise<boolean>>()
  readonly #clock: Clock
  readonly #ttlMs: number

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock
    this.#ttlMs = ttlMs
  }

  /** Whether `password` was found right for `owner` (an account) with its `stored` hash lately. */
  isKnown(owner: string, stored: string, password: string): boolean {
    const key = this.#key(owner, stored, password)
    const verifiedAt = this.#verified.get(key)
    if (verifiedAt === undefined) return false
    const ageMs = this.#clock.now() - verifiedAt
    if (ageMs >= 0 && ageMs < this.#ttlMs) return true
    this.#verified.delete(key)
    return false
  }

  /**
   * Whether `password` is right for `owner` (an account, or a name that nobody has) with its `stored` hash, by `verify`, which is remembered. Asked for the
   * same several times at once, for known and unknown owners alike, it verifies once.
   */
  check(owner: string, stored: string, password: string, verify: () => Promise<boolean>): Promise<boolean> {
    const key = this.#key(owner, stored, password)
    const running = this.#pending.get(key)
    if (running) return running
    const check = this.#run(key, verify)
    this.#pending.set(key, check)
    return check
  }

  /** One call in place of an HMAC: nobody sees the hash, so there is nothing to extend. */
  #key(owner: string, stored: string, password: string): string {
    const lengths = `${owner.length} ${stored.length}`
    return hash('sha256', `${this.#secret} ${lengths} ${owner}${stored}${password}`, 'base64')
  }

  async #run(key: string, verify: () => Promise<boolean>): Promise<boolean> {
    try {
      const isRight = await verify()
      if (isRight && this.#ttlMs > 0) this.#verified.set(key, this.#clock.now())
      return isRight
    } finally {
      this.#pending.delete(key)
    }
  }
}
