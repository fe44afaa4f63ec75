// The message that FETCH is writing: a cursor over the selection, moved from one to the next.
import type { AccountId, BlobHash, EmailId } from '../../base/ids.ts'
import { type PartNode, unpackParts } from '../../message/sections.ts'
import type { MailboxSnapshot } from '../../store/mailbox-snapshot.ts'
import type { Store } from '../../store/store.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import type { ImapError } from '../error.ts'
import type { EmailRow } from './email-rows.ts'
import type { Span } from './fetch-item.ts'

const nothing = Buffer.alloc(0)

/** Bytes of a message that were read for several items at once. */
export interface Window extends Span {
  readonly bytes: Buffer
}

export class FetchedMessage {
  readonly #store: Store
  readonly #account: AccountId
  // The arrays as they were when the command began: the store leaves them alone below `count`.
  readonly flags: Uint32Array
  readonly modSeqs: Float64Array
  readonly sizes: Float64Array
  readonly receivedAts: Float64Array
  readonly savedAts: Float64Array
  readonly #emails: Float64Array
  /** Whose it is, where that is another account than the session's. */
  readonly foreignOwner: AccountId | undefined
  number = 0
  uid = 0
  /** In the snapshot's arrays. */
  position = 0
  /** ` FLAGS (…)` without the space, when an item shows it. */
  flagsText = ''
  #row: EmailRow | undefined
  #parts: PartNode | undefined
  #window: Window | undefined
  /** The section that was decoded last: a command may ask for a hundred pieces of one (RFC 3516 §4). */
  decoded: Window | undefined
  /** Why an item could not be given although the message is there: ends the command with NO. */
  refusal: ImapError | undefined

  constructor(store: Store, account: AccountId, snapshot: MailboxSnapshot, foreignOwner?: AccountId) {
    this.#store = store
    this.#account = account
    this.foreignOwner = foreignOwner
    this.flags = snapshot.flags
    this.modSeqs = snapshot.modSeqs
    this.sizes = snapshot.sizes
    this.receivedAts = snapshot.receivedAts
    this.savedAts = snapshot.savedAts
    this.#emails = snapshot.emails
  }

  moveTo(number: number, uid: number, position: number): void {
    this.number = number
    this.uid = uid
    this.position = position
    this.#row = undefined
    this.#parts = undefined
    this.#window = undefined
    this.decoded = undefined
  }

  get email(): EmailId {
    return this.#emails[this.position] as EmailId
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

  set window(window: Window | undefined) {
    this.#window = window
  }

  /** The bytes of a span when they have been read already. */
  peekBytes(span: Span): Buffer | undefined {
    if (span.start === span.end) return nothing
    const window = this.#window
    if (!window || span.start < window.start || span.end > window.end) return undefined
    return window.bytes.subarray(span.start - window.start, span.end - window.start)
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
