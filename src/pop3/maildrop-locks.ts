// One POP3 session an account at a time, over all threads of the process, and over all nodes where others are at the store. RFC 1939 §4 (exclusive-access lock), §8; RFC 2449 §6.5 (LOGIN-DELAY).
//
// Invariants:
// - The table lies in shared memory: a lock dies with the process. A lock of a thread that died is free after `leaseSeconds`, because nobody renews it.
// - A lease is one 64-bit word (owner and end), taken, renewed and given back by compare-and-exchange: no thread can wait for another.
// - Two threads that find different slots for one account both see each other and both give up: the client is told IN-USE and tries again.
// - Other nodes see a lease of the store's, which is taken last and given back first: the table keeps the threads of this node apart.
// - IMAP and delivery never look here.
import { randomInt } from 'node:crypto'
import type { AccountId } from '../base/ids.ts'
import type { Clock } from '../base/clock.ts'
import type { Maildrops } from '../store/store.ts'

const bucketSlots = 16
const leaseSeconds = 60
const renewMs = 20_000
/** 2025-01-01: seconds from here fit 32 bits. */
const epochSeconds = 1_735_689_600
const free = 0n

export type MaildropLock =
  /** `release` settles when others may have it, and never rejects. */
  | { readonly kind: 'held'; release(): Promise<void> }
  | { readonly kind: 'in-use' }
  /** The account has logged in within the least delay. */
  | { readonly kind: 'too-soon' }

type Here = Exclude<MaildropLock, { kind: 'held' }> | { readonly kind: 'held'; release(): void }

/** The table that all threads share. `entries` accounts can be in use at once. */
export function allocateMaildropLocks(entries = 65_536): SharedArrayBuffer {
  const slots = Math.max(1, Math.ceil(entries / bucketSlots)) * bucketSlots
  // Leases (8 bytes), then accounts and last log-ins (4 bytes each).
  return new SharedArrayBuffer(slots * 16)
}

export class MaildropLocks {
  readonly #clock: Clock
  readonly #leases: BigInt64Array
  readonly #accounts: Int32Array
  readonly #lastLogins: Int32Array
  readonly #slots: number
  /** The leases of this thread: slot and what it holds. */
  readonly #held = new Map<number, bigint>()
  readonly #others: Maildrops | undefined
  #timer: NodeJS.Timeout | undefined

  /** `others`: the leases that all nodes see. */
  constructor(clock: Clock, table: SharedArrayBuffer = allocateMaildropLocks(), others?: Maildrops) {
    this.#clock = clock
    this.#others = others
    this.#slots = table.byteLength / 16
    this.#leases = new BigInt64Array(table, 0, this.#slots)
    this.#accounts = new Int32Array(table, this.#slots * 8, this.#slots)
    this.#lastLogins = new Int32Array(table, this.#slots * 12, this.#slots)
  }

  /** Takes the lock of an account whose credentials are right. `delaySeconds` is the least time since its last log-in. Throws `StoreError`. */
  async acquire(account: AccountId, delaySeconds = 0): Promise<MaildropLock> {
    const others = this.#others
    // The last log-in may have been at another node, so where there are others only they know.
    const here = this.#acquireHere(account, others ? 0 : delaySeconds)
    if (here.kind !== 'held') return here
    if (!others) return { kind: 'held', release: async () => here.release() }
    try {
      const kind = await others.take(account, delaySeconds)
      if (kind !== 'held') {
        here.release()
        return { kind }
      }
    } catch (error) {
      here.release()
      throw error
    }
    return {
      kind: 'held',
      async release() {
        await others.release(account)
        here.release()
      },
    }
  }

  #acquireHere(account: AccountId, delaySeconds: number): Here {
    const bucket = (account % (this.#slots / bucketSlots)) * bucketSlots
    const slot = this.#ownSlot(bucket, account) ?? this.#takeSlot(bucket, account)
    if (slot === undefined) return { kind: 'in-use' }
    const before = Atomics.load(this.#leases, slot)
    const lease = this.#newLease()
    if (this.#isLeased(before)) return { kind: 'in-use' }
    if (Atomics.compareExchange(this.#leases, slot, before, lease) !== before) return { kind: 'in-use' }
    if (Atomics.load(this.#accounts, slot) !== account || this.#isLeasedElsewhere(bucket, account, slot)) {
      Atomics.compareExchange(this.#leases, slot, lease, free)
      return { kind: 'in-use' }
    }
    const nowSeconds = this.#seconds()
    const lastLogin = Atomics.load(this.#lastLogins, slot)
    if (delaySeconds > 0 && lastLogin !== 0 && nowSeconds - lastLogin < delaySeconds) {
      Atomics.compareExchange(this.#leases, slot, lease, free)
      return { kind: 'too-soon' }
    }
    Atomics.store(this.#lastLogins, slot, nowSeconds)
    this.#held.set(slot, lease)
    this.#timer ??= setInterval(() => this.renew(), renewMs).unref()
    return { kind: 'held', release: () => this.#release(slot) }
  }

  /** Renews what this thread holds; its timer does this. */
  renew(): void {
    for (const [slot, lease] of this.#held) {
      const next = this.#newLease(lease & 0xffffffffn)
      // One that was lost, because this thread stood still for a minute, stays lost.
      if (Atomics.compareExchange(this.#leases, slot, lease, next) === lease) this.#held.set(slot, next)
      else this.#held.delete(slot)
    }
  }

  #release(slot: number): void {
    const lease = this.#held.get(slot)
    if (lease === undefined) return
    this.#held.delete(slot)
    Atomics.compareExchange(this.#leases, slot, lease, free)
    if (this.#held.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #ownSlot(bucket: number, account: AccountId): number | undefined {
    for (let slot = bucket; slot < bucket + bucketSlots; slot++) {
      if (Atomics.load(this.#accounts, slot) === account) return slot
    }
    return undefined
  }

  /** An empty slot, or one whose account is not in use; made this account's. Undefined when all are in use. */
  #takeSlot(bucket: number, account: AccountId): number | undefined {
    for (let slot = bucket; slot < bucket + bucketSlots; slot++) {
      const owner = Atomics.load(this.#accounts, slot)
      if (owner === 0) {
        if (Atomics.compareExchange(this.#accounts, slot, 0, account) === 0) return slot
        continue
      }
      const before = Atomics.load(this.#leases, slot)
      if (this.#isLeased(before)) continue
      // Lease it while its account changes, so that nobody takes it under either name.
      const lease = this.#newLease()
      if (Atomics.compareExchange(this.#leases, slot, before, lease) !== before) continue
      Atomics.store(this.#accounts, slot, account)
      Atomics.store(this.#lastLogins, slot, 0)
      Atomics.compareExchange(this.#leases, slot, lease, free)
      return slot
    }
    return undefined
  }

  #isLeasedElsewhere(bucket: number, account: AccountId, own: number): boolean {
    for (let slot = bucket; slot < bucket + bucketSlots; slot++) {
      if (slot === own || Atomics.load(this.#accounts, slot) !== account) continue
      if (this.#isLeased(Atomics.load(this.#leases, slot))) return true
    }
    return false
  }

  #isLeased(lease: bigint): boolean {
    return lease !== free && Number(lease >> 32n) > this.#seconds()
  }

  #newLease(owner = BigInt(randomInt(1, 2 ** 31))): bigint {
    return (BigInt(this.#seconds() + leaseSeconds) << 32n) | owner
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000) - epochSeconds
  }
}
