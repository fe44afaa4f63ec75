// A mailbox as one guest sees it: the shared snapshot with his own \Seen laid over it, and what he may do. RFC 4314 §2.1; RFC 7162 §3.1.
//
// Invariants:
// - A message's modSeq is the later of the mailbox's and the guest's own, both of the owner's account, so all of them only grow.
// - The two halves are of one state: the guest's own is read before and after the snapshot, until it is the same.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, EmailId, MailboxId, ModSeq, UidValidity } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import { seen } from '../flags.ts'
import type {
  EmailColumn,
  FlagsAround,
  MailboxDelta,
  MailboxSnapshot,
  SnapshotColumn,
  UidColumn,
} from '../mailbox-snapshot.ts'
import { findGuestModSeq, findRights, listGuestSeen } from '../read/acl.ts'
import { type Rights, rightBits } from '../rights.ts'
import type { Store } from '../store.ts'

interface OwnSeen {
  readonly isSeen: boolean
  readonly modSeq: number
}

/** What a guest has changed, by UID. */
type OwnSeenByUid = ReadonlyMap<number, OwnSeen>

export class GuestMailbox {
  readonly #store: Store
  readonly #account: AccountId
  readonly #mailbox: MailboxId
  readonly #guest: AccountId
  readonly #own = new Map<number, OwnSeen>()
  #ownModSeq = 0 as ModSeq
  #rights: Rights = 0
  #snapshot: GuestSnapshot | undefined

  constructor(
    store: Store,
    { account, id }: { readonly account: AccountId; readonly id: MailboxId },
    guest: AccountId,
  ) {
    this.#store = store
    this.#account = account
    this.#mailbox = id
    this.#guest = guest
  }

  /** What the guest may do, as of the last `refresh`. */
  get rights(): Rights {
    return this.#rights
  }

  /** The mailbox now. Throws `StoreError` `no-such-mailbox`, also where the guest may not read it any more. */
  async refresh(): Promise<MailboxSnapshot> {
    const { reader } = this.#store
    this.#rights = await findRights(reader, this.#account, this.#mailbox, this.#guest)
    if ((this.#rights & rightBits.r) === 0) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
    for (;;) {
      const modSeq = await this.#readModSeq()
      const base = await this.#store.snapshot(this.#account, this.#mailbox)
      if (modSeq > this.#ownModSeq) await this.#readOwn(modSeq)
      if ((await this.#readModSeq()) !== modSeq) continue
      if (this.#snapshot?.base !== base || this.#snapshot.ownModSeq !== modSeq) {
        this.#forgetGone(base)
        this.#snapshot = new GuestSnapshot(base, modSeq, this.#own)
      }
      return this.#snapshot
    }
  }

  #readModSeq(): Promise<ModSeq> {
    return findGuestModSeq(this.#store.reader, this.#account, this.#mailbox, this.#guest)
  }

  /** UIDs are never given again, so what is gone stays gone. */
  #forgetGone(base: MailboxSnapshot): void {
    for (const uid of this.#own.keys()) if (base.positionOf(uid) < 0) this.#own.delete(uid)
  }

  async #readOwn(upTo: ModSeq): Promise<void> {
    const rows = await listGuestSeen(
      this.#store.reader,
      this.#account,
      this.#mailbox,
      this.#guest,
      this.#ownModSeq,
    )
    for (const [uid, isSeen, modSeq] of rows) this.#own.set(uid, { isSeen: isSeen !== 0, modSeq })
    this.#ownModSeq = upTo
  }
}

class GuestSnapshot implements MailboxSnapshot {
  readonly base: MailboxSnapshot
  readonly ownModSeq: ModSeq
  readonly modSeq: ModSeq
  readonly flags: SnapshotColumn
  readonly modSeqs: SnapshotColumn
  readonly #own: OwnSeenByUid

  constructor(base: MailboxSnapshot, ownModSeq: ModSeq, own: OwnSeenByUid) {
    this.base = base
    this.ownModSeq = ownModSeq
    this.modSeq = Math.max(base.modSeq, ownModSeq) as ModSeq
    this.flags = new GuestColumn(
      base,
      base.flags,
      own,
      (flags, isSeen) => ((flags & ~seen) | (isSeen ? seen : 0)) >>> 0,
    )
    this.modSeqs = new GuestColumn(base, base.modSeqs, own, (of, _isSeen, modSeq) => Math.max(of, modSeq))
    this.#own = own
  }

  get account(): AccountId {
    return this.base.account
  }

  get mailbox(): MailboxId {
    return this.base.mailbox
  }

  get uidValidity(): UidValidity {
    return this.base.uidValidity
  }

  get uidNext(): number {
    return this.base.uidNext
  }

  get tombstoneFloor(): ModSeq {
    return this.base.tombstoneFloor
  }

  get count(): number {
    return this.base.count
  }

  get uids(): UidColumn {
    return this.base.uids
  }

  get sizes(): SnapshotColumn {
    return this.base.sizes
  }

  get receivedAts(): SnapshotColumn {
    return this.base.receivedAts
  }

  get savedAts(): SnapshotColumn {
    return this.base.savedAts
  }

  get emails(): EmailColumn {
    return this.base.emails
  }

  flagsAround(position: number): FlagsAround {
    const { some, every, until } = this.base.flagsAround(position)
    // What he has seen is his own.
    return { some: some | seen, every: every & ~seen, until }
  }

  keywordsOf(flags: number): readonly string[] {
    return this.base.keywordsOf(flags)
  }

  positionOf(uid: number): number {
    return this.base.positionOf(uid)
  }

  lowerBound(uid: number): number {
    return this.base.lowerBound(uid)
  }

  emailAt(position: number): EmailId {
    return this.base.emailAt(position)
  }

  get keywords(): readonly string[] {
    return this.base.keywords
  }

  get firstUnseen(): number {
    for (let position = 0; position < this.count; position++)
      if ((this.flags.at(position) & seen) === 0) return position
    return -1
  }

  changesAfter(modSeq: ModSeq): Awaitable<MailboxDelta> {
    const delta = this.base.changesAfter(modSeq)
    return delta instanceof Promise
      ? delta.then(known => this.#withOwn(known, modSeq))
      : this.#withOwn(delta as MailboxDelta, modSeq)
  }

  changedAfter(modSeq: ModSeq): readonly number[] {
    return this.#addOwn(this.base.changedAfter(modSeq), modSeq)
  }

  #withOwn({ isComplete, vanished, changed }: MailboxDelta, modSeq: ModSeq): MailboxDelta {
    return { modSeq: this.modSeq, isComplete, vanished, changed: this.#addOwn(changed, modSeq) }
  }

  /** Positions of what has changed, and of what the guest himself has changed after `modSeq`. */
  #addOwn(changed: readonly number[], modSeq: ModSeq): readonly number[] {
    if (modSeq >= this.ownModSeq) return changed
    const positions = new Set(changed)
    for (const [uid, own] of this.#own) {
      const position = own.modSeq > modSeq ? this.positionOf(uid) : -1
      if (position >= 0) positions.add(position)
    }
    return [...positions].sort((a, b) => a - b)
  }
}

/** A column as the guest sees it. What he has changed since shows in older snapshots as well, as do changes of the mailbox. */
class GuestColumn implements SnapshotColumn {
  readonly #uids: UidColumn
  readonly #column: SnapshotColumn
  readonly #own: OwnSeenByUid
  readonly #see: (value: number, isSeen: boolean, modSeq: number) => number

  constructor(
    { uids }: MailboxSnapshot,
    column: SnapshotColumn,
    own: OwnSeenByUid,
    see: (value: number, isSeen: boolean, modSeq: number) => number,
  ) {
    this.#uids = uids
    this.#column = column
    this.#own = own
    this.#see = see
  }

  at(position: number): number {
    const own = this.#own.get(this.#uids.at(position))
    return this.#see(this.#column.at(position), own?.isSeen ?? false, own?.modSeq ?? 0)
  }

  copy(from: number, to: number, target: Uint32Array | Float64Array, at = 0): void {
    for (let position = from; position < to; position++) target[at + position - from] = this.at(position)
  }
}
