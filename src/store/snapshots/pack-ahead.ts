// Packs mailboxes that have grown while nobody had them open: whoever opens one first finds it packed, and reads no row for each message.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import { Lru } from '../../base/lru.ts'
import { StoreError } from '../error.ts'
import type { Reader } from '../store.ts'
import { isWorthPacking, keyOf, type SnapshotKey } from './build-snapshot.ts'
import { messagesPerChunk } from './message-chunk.ts'
import { findPackedHeader, lastUidIn } from './packing.ts'

export interface PackAheadStore {
  readonly reader: Reader
  /** Packs a mailbox as it is now, and remembers nothing of it. One that is open here is packed by whoever has it open. Throws `StoreError`. */
  packAhead(account: AccountId, mailbox: MailboxId): Promise<void>
}

type MailboxRow = readonly [id: MailboxId, total: number, uidNext: number, header: Uint8Array | null]

/** Of an account in which nothing happens any more, fewer new messages are worth packing: so many, and a share of all. */
const fewNew = 128
const shareNew = 1 / 256

const mailboxesRemembered = 10_000

/** How often an account that goes on to change is looked at. */
const busyMs = 5000

/** An account that has changed: when last, and when it was looked at. */
interface Told {
  atMs: number
  lookedAtMs: number
}

export class PackAhead {
  readonly #store: PackAheadStore
  readonly #log: Log
  readonly #now: () => number
  readonly #told = new Map<AccountId, Told>()
  /** UIDNEXT of mailboxes when they were packed: what came before and is gone again is no longer told by the last UID that is packed. */
  readonly #packedTo = new Lru<string, number>(mailboxesRemembered)
  #isClosing = false

  /** `now` gives milliseconds. */
  constructor(store: PackAheadStore, log: Log, now = () => performance.now()) {
    this.#store = store
    this.#log = log
    this.#now = now
  }

  /** Something has changed in an account. */
  tell(account: AccountId): void {
    const now = this.#now()
    const told = this.#told.get(account)
    if (told) told.atMs = now
    else this.#told.set(account, { atMs: now, lookedAtMs: now })
  }

  /** Looks at the accounts of which it was told. False while one is to be looked at again, because it may go on to change; `takesAll` takes it for at rest. */
  async run(takesAll = false): Promise<boolean> {
    for (const [account, told] of Array.from(this.#told)) {
      if (this.#isClosing) return true
      const now = this.#now()
      const isAtRest = takesAll || now - told.atMs >= limits.store.packMs
      if (isAtRest) this.#told.delete(account)
      else if (now - told.lookedAtMs < busyMs) continue
      told.lookedAtMs = now
      for (const [mailbox, , uidNext] of await this.#grown(account, isAtRest)) {
        if (this.#isClosing) return true
        await this.#pack({ account, mailbox }, uidNext)
      }
      await new Promise(setImmediate)
    }
    return this.#told.size === 0
  }

  /** Somebody else looks at what it was told of. */
  forget(): void {
    this.#told.clear()
  }

  /** Stops after the mailbox under way. */
  close(): void {
    this.#isClosing = true
  }

  async #grown(account: AccountId, isAtRest: boolean): Promise<readonly MailboxRow[]> {
    const rows = await this.#store.reader.arrays<MailboxRow>(
      `SELECT m.id, m.total, m.uid_next, s.data FROM mailbox m
       LEFT JOIN snapshot s ON s.account = m.account AND s.mailbox = m.id AND s.chunk = 0
       WHERE m.account = ? AND m.total >= ?`,
      account,
      messagesPerChunk,
    )
    return rows.filter(row => this.#hasGrown(account, row, isAtRest))
  }

  #hasGrown(account: AccountId, [mailbox, total, uidNext, data]: MailboxRow, isAtRest: boolean): boolean {
    const header = data && findPackedHeader(data)
    if (!header) return true
    const added =
      uidNext - Math.max(lastUidIn(header) + 1, this.#packedTo.get(keyOf({ account, mailbox })) ?? 0)
    return isAtRest ? added >= Math.max(fewNew, total * shareNew) : isWorthPacking(added, total)
  }

  /** What could not be packed is looked at again when the account changes; the rows are the truth. */
  async #pack(place: SnapshotKey, uidNext: number): Promise<void> {
    const { account, mailbox } = place
    try {
      await this.#store.packAhead(account, mailbox)
      this.#packedTo.set(keyOf(place), uidNext)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      if (error.code !== 'no-such-mailbox')
        this.#log.warn({ err: error, account, mailbox }, 'a mailbox could not be packed')
    }
  }
}
