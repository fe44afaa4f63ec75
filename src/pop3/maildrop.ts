// The maildrop of one session: the mailbox as it was at log-in. RFC 1939 §4, §5, §6, §8.
//
// Invariants:
// - Numbers and sizes are fixed at log-in; new mail waits for the next session.
// - DELE only marks; `removedUids` is what QUIT removes, and a UID that somebody else has removed meanwhile is nobody's.
// - Whether a message is still there is asked for many messages at a time, and again in a turn (what came in one piece from the client) before which the
//   mailbox has changed.
import type { Awaitable } from '../base/awaitable.ts'
import type { AccountId, MailboxId, ModSeq } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { seen } from '../store/flags.ts'
import type { MailboxSnapshot } from '../store/mailbox-snapshot.ts'
import { listMessageBodies, type StoredBody } from '../store/read/message-bodies.ts'
import type { Reader, Store } from '../store/store.ts'
import type { UidRanges } from '../store/uid-ranges.ts'
import { Pop3Error } from './error.ts'

export class Maildrop {
  readonly account: AccountId
  readonly mailbox: MailboxId
  /** All messages, the deleted ones too. */
  readonly total: number
  readonly #uidValidity: number
  readonly #uids: Uint32Array
  readonly #sizes: Float64Array
  /** By position: 1 for DELE, 2 for RETR. */
  readonly #marks: Uint8Array
  #count: number
  #bytes: number
  #retrieved = 0
  // Bodies looked up for the UIDs from `first` to `last`, while the mailbox was as at `#foundModSeq`.
  #found: ReadonlyMap<number, StoredBody> = new Map()
  #foundFirst = 1
  #foundLast = 0
  #foundModSeq = -1
  /** What was looked up was held against the mailbox in this turn. */
  #isCurrent = false

  constructor(snapshot: MailboxSnapshot) {
    this.account = snapshot.account
    this.mailbox = snapshot.mailbox
    this.total = snapshot.count
    this.#uidValidity = snapshot.uidValidity
    this.#uids = snapshot.uids.upTo(snapshot.count)
    this.#sizes = new Float64Array(snapshot.count)
    snapshot.sizes.copy(0, snapshot.count, this.#sizes)
    this.#marks = new Uint8Array(snapshot.count)
    this.#count = snapshot.count
    let bytes = 0
    for (const size of this.#sizes) bytes += size
    this.#bytes = bytes
  }

  /** Messages that are not marked as deleted. */
  get count(): number {
    return this.#count
  }

  /** Their octets. */
  get bytes(): number {
    return this.#bytes
  }

  get retrieved(): number {
    return this.#retrieved
  }

  /** The position of a message number. Throws `Pop3Error` when there is none or it is marked as deleted. */
  position(number: number): number {
    if (number < 1) throw new Pop3Error(texts => texts.noSuchMessage)
    if (number > this.total) throw new Pop3Error(texts => texts.onlyMessages(this.total))
    if (this.isDeleted(number - 1)) throw new Pop3Error(texts => texts.messageAlreadyDeleted(number))
    return number - 1
  }

  isDeleted(position: number): boolean {
    return ((this.#marks[position] as number) & deletedMark) !== 0
  }

  sizeAt(position: number): number {
    return this.#sizes[position] as number
  }

  /** Printable ASCII, at most 21 characters, never used again: a UID is not, under its UIDVALIDITY. RFC 1939 §7 (UIDL). */
  uniqueIdAt(position: number): string {
    return `${this.#uidValidity}.${this.#uids[position] as number}`
  }

  delete(position: number): void {
    this.#marks[position] = (this.#marks[position] as number) | deletedMark
    this.#count--
    this.#bytes -= this.sizeAt(position)
  }

  /** RSET. */
  undelete(): void {
    for (let i = 0; i < this.total; i++) {
      if (!this.isDeleted(i)) continue
      this.#marks[i] = (this.#marks[i] as number) & ~deletedMark
      this.#count++
      this.#bytes += this.sizeAt(i)
    }
  }

  markRetrieved(position: number): void {
    this.#marks[position] = (this.#marks[position] as number) | retrievedMark
    this.#retrieved++
  }

  /** Something may have changed since the last turn. */
  beginTurn(): void {
    this.#isCurrent = false
  }

  /** The body of a message; undefined when somebody else has removed it. Throws `no-such-mailbox`. */
  findBody(store: Store, position: number): Awaitable<StoredBody | undefined> {
    if (this.#isCurrent) return this.#find(store.reader, position)
    const snapshot = store.snapshot(this.account, this.mailbox)
    if (snapshot instanceof Promise)
      return snapshot.then(({ modSeq }) => this.#bringTo(modSeq).#find(store.reader, position))
    return this.#bringTo(snapshot.modSeq).#find(store.reader, position)
  }

  /** Forgets what was looked up before the mailbox changed. */
  #bringTo(modSeq: ModSeq): this {
    this.#isCurrent = true
    if (modSeq === this.#foundModSeq) return this
    this.#foundModSeq = modSeq
    this.#foundFirst = 1
    this.#foundLast = 0
    return this
  }

  /** Looked up for those behind it too: clients take one after the other. */
  #find(reader: Reader, position: number): Awaitable<StoredBody | undefined> {
    const uid = this.#uids[position] as number
    if (uid >= this.#foundFirst && uid <= this.#foundLast) return this.#found.get(uid)
    const last = this.#uids[Math.min(this.total, position + limits.pop3.readAhead) - 1] as number
    const bodies = listMessageBodies(reader, this.account, this.mailbox, uid, last)
    if (bodies instanceof Promise) return bodies.then(later => this.#keep(uid, last, later))
    return this.#keep(uid, last, bodies)
  }

  #keep(first: number, last: number, bodies: ReadonlyMap<number, StoredBody>): StoredBody | undefined {
    this.#found = bodies
    this.#foundFirst = first
    this.#foundLast = last
    return bodies.get(first)
  }

  /** The messages that QUIT removes: those that are marked, by configuration those that were retrieved, and `expired` UIDs. */
  removedUids(alsoRetrieved: boolean, expired: ReadonlySet<number>): UidRanges {
    const wanted = alsoRetrieved ? deletedMark | retrievedMark : deletedMark
    return this.#ranges((mark, uid) => (mark & wanted) !== 0 || expired.has(uid))
  }

  /** Retrieved messages that stay. */
  retrievedUids(): UidRanges {
    return this.#ranges(mark => mark === retrievedMark)
  }

  /** How many messages have a UID in one of `ranges`. */
  countIn(ranges: UidRanges): number {
    let count = 0
    let range = 0
    for (let i = 0; i < this.total; i++) {
      const uid = this.#uids[i] as number
      while (uid > (ranges[range]?.[1] ?? Infinity)) range++
      if (uid >= (ranges[range]?.[0] ?? Infinity)) count++
    }
    return count
  }

  /** Neighbours make one range: no message can come between two that were there at log-in. */
  #ranges(isWanted: (mark: number, uid: number) => boolean): UidRanges {
    const ranges: [number, number][] = []
    let open: [number, number] | undefined
    for (let i = 0; i < this.total; i++) {
      const uid = this.#uids[i] as number
      if (!isWanted(this.#marks[i] as number, uid)) {
        open = undefined
        continue
      }
      if (open) open[1] = uid
      else ranges.push((open = [uid, uid]))
    }
    return ranges
  }
}

const deletedMark = 1
const retrievedMark = 2

/** Positions of a snapshot that are read and were saved at or before `savedAt`: what EXPIRE lets go. RFC 2449 §6.7. */
export function expiredUids(snapshot: MailboxSnapshot, savedAt: number): ReadonlySet<number> {
  const uids = new Set<number>()
  for (let i = 0; i < snapshot.count; i++) {
    if ((snapshot.flags.at(i) & seen) === 0) continue
    if (snapshot.savedAts.at(i) <= savedAt) uids.add(snapshot.uids.at(i))
  }
  return uids
}
