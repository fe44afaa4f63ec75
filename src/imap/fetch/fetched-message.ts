// The message that FETCH is writing: a cursor over the selection, moved from one to the next.
import type { AccountId, BlobHash, EmailId } from '../../base/ids.ts'
import { type PartNode, unpackParts } from '../../message/sections.ts'
import type { MailboxSnapshot } from '../../store/mailbox-snapshot.ts'
import type { CopyBody, Store } from '../../store/store.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import type { ImapError } from '../error.ts'
import type { EmailRow } from './email-rows.ts'
import type { Span } from './fetch-item.ts'

const nothing = Buffer.alloc(0)

/** Bytes of a message that were read for several items at once. */
export interface Window extends Span {
  readonly bytes: Buffer
}

/** Where the bytes of a message come from: what was read of it, or what copies of it where that needs no wait. */
export type Source = Window | CopyBody

export class FetchedMessage {
  readonly #store: Store
  readonly #account: AccountId
  /** As it was when the command began: the store leaves its arrays alone below `count`. */
  readonly snapshot: MailboxSnapshot
  /** Whose it is, where that is another account than the session's. */
  readonly foreignOwner: AccountId | undefined
  number = 0
  uid = 0
  /** In the snapshot. */
  position = 0
  /** ` FLAGS (…)` without the space, when an item shows it. */
  flagsText: Buffer = nothing
  #row: EmailRow | undefined
  #parts: PartNode | undefined
  #source: Source | undefined
  /** The section that was decoded last: a command may ask for a hundred pieces of one (RFC 3516 §4). */
  decoded: Window | undefined
  /** Why an item could not be given although the message is there: ends the command with NO. */
  refusal: ImapError | undefined

  constructor(store: Store, account: AccountId, snapshot: MailboxSnapshot, foreignOwner?: AccountId) {
    this.#store = store
    this.#account = account
    this.foreignOwner = foreignOwner
    this.snapshot = snapshot
  }

  moveTo(number: number, uid: number, position: number): void {
    this.number = number
    this.uid = uid
    this.position = position
    this.#row = undefined
    this.#parts = undefined
    this.#source = undefined
    this.decoded = undefined
  }

  get email(): EmailId {
    return this.snapshot.emails.at(this.position) as EmailId
  }

  /** The email's row, of items that named columns. */
  get row(): EmailRow {
    if (!this.#row) throw new Error('an item reads a row that it did not ask for')
    return this.#row
  }

  set row(row: EmailRow) {
    this.#row = row
  }

  get sizeBytes(): number {
    return this.row.size_bytes
  }

  get parts(): PartNode {
    return (this.#parts ??= unpackParts(this.row.parts))
  }

  set source(source: Source | undefined) {
    this.#source = source
  }

  /** What copies of the message, up to `end` with the fewest reads, where the store needs no wait for it. */
  open(end: number): CopyBody | undefined {
    const { blob, location } = this.row
    return location && this.#store.openBody?.(blob, location, end)
  }

  /** The bytes of a span when they have been read already. */
  peekBytes(span: Span): Buffer | undefined {
    if (span.start === span.end) return nothing
    const source = this.#source
    if (typeof source !== 'object' || span.start < source.start || span.end > source.end) return undefined
    return source.bytes.subarray(span.start - source.start, span.end - source.start)
  }

  /** Copies bytes to `target`, from `at` on. False where they have to be read: the store needs a wait for that, or the body was moved. */
  copyBytes(start: number, end: number, target: Buffer, at: number): boolean {
    return typeof this.#source === 'function' && this.#source(start, end, target, at)
  }

  /** Reads bytes from the store. Throws `StoreError` `no-such-body`. */
  readBytes(start: number, end: number): Awaitable<Buffer> {
    return this.#store.readBody(this.#account, this.#hash, start, end)
  }

  get #hash(): BlobHash {
    const { blob } = this.row
    return Buffer.from(blob.buffer, blob.byteOffset, blob.length).toString('hex') as BlobHash
  }
}
