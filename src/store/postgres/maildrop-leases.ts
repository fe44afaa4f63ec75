// Leases of maildrops in a table that all nodes see. RFC 1939 §4 (exclusive-access lock); RFC 2449 §6.5 (LOGIN-DELAY).
//
// Invariants:
// - A lease is held under a name of its own, and renewed while its session lasts; that of a node that died runs out within `leaseMs`.
// - What a failover has emptied is taken anew with the next renewal, unless somebody else was quicker: then it stays lost.
// - Each statement may be run twice, so a session that breaks costs nothing: they go where reads go.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { AccountId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import type { Maildrops, Reader } from '../store.ts'

export interface MaildropLeasesParts {
  readonly reader: Reader
  readonly clock: Clock
  readonly log: Log
}

const leaseMs = 60_000
const renewMs = 20_000

const takeSql = `INSERT INTO maildrop_lease (account, holder, lease_until, taken_at) VALUES (?, ?, ?, ?)
  ON CONFLICT (account) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until,
    taken_at = CASE WHEN maildrop_lease.holder = excluded.holder THEN maildrop_lease.taken_at ELSE excluded.taken_at END
  WHERE maildrop_lease.holder = excluded.holder OR (maildrop_lease.lease_until <= ? AND maildrop_lease.taken_at <= ?)
  RETURNING account`
const findSql = 'SELECT lease_until AS "leaseUntil" FROM maildrop_lease WHERE account = ?'
const releaseSql =
  'UPDATE maildrop_lease SET lease_until = 0 WHERE account = ? AND holder = ? RETURNING account'

export class MaildropLeases implements Maildrops {
  readonly #parts: MaildropLeasesParts
  /** What this store holds: the names of the leases. */
  readonly #held = new Map<AccountId, string>()
  #timer: NodeJS.Timeout | undefined
  #renewing: Promise<void> = Promise.resolve()

  constructor(parts: MaildropLeasesParts) {
    this.#parts = parts
  }

  async take(account: AccountId, delaySeconds: number): Promise<'held' | 'in-use' | 'too-soon'> {
    if (this.#held.has(account)) return 'in-use'
    const holder = randomUUID()
    this.#held.set(account, holder)
    this.#timer ??= setInterval(() => void this.renew(), renewMs).unref()
    try {
      if (await this.#lease(account, holder, delaySeconds)) return 'held'
      const { reader, clock } = this.#parts
      const found = await reader.get<{ leaseUntil: number }>(findSql, account)
      this.#forget(account)
      return found && found.leaseUntil <= clock.now() ? 'too-soon' : 'in-use'
    } catch (error) {
      this.#forget(account)
      throw error
    }
  }

  async release(account: AccountId): Promise<void> {
    // A renewal under way would take it again.
    await this.#renewing
    const holder = this.#held.get(account)
    if (holder === undefined) return
    try {
      await this.#parts.reader.get(releaseSql, account, holder)
    } catch (error) {
      this.#parts.log.debug({ account, err: error as Error }, 'a maildrop is free only when its lease ends')
    }
    this.#forget(account)
  }

  /** Its timer does this. */
  renew(): Promise<void> {
    this.#renewing = this.#renewing.then(() => this.#renew())
    return this.#renewing
  }

  /** Gives back what is held. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#held.keys(), account => this.release(account)))
  }

  async #renew(): Promise<void> {
    try {
      await Promise.all(Array.from(this.#held, ([account, holder]) => this.#lease(account, holder, 0)))
    } catch (error) {
      this.#parts.log.warn({ err: error as Error }, 'leases of maildrops were not renewed; it is tried again')
    }
  }

  /** Whether it is held now. */
  async #lease(account: AccountId, holder: string, delaySeconds: number): Promise<boolean> {
    const now = this.#parts.clock.now()
    const before = delaySeconds === 0 ? Number.MAX_SAFE_INTEGER : now - delaySeconds * 1000
    const row = await this.#parts.reader.get(takeSql, account, holder, now + leaseMs, now, now, before)
    return row !== undefined
  }

  #forget(account: AccountId): void {
    this.#held.delete(account)
    if (this.#held.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
