// Streams FETCH responses: rows of emails in chunks, bytes of several messages at a time, no wait between two messages of a batch.
import type { Awaitable } from '../../base/awaitable.ts'
import type { EmailId, ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { isConnectionError } from '../../net/connection-error.ts'
import { StoreError } from '../../store/error.ts'
import type { Encoder } from '../encoder.ts'
import type { ImapError } from '../error.ts'
import type { Session } from '../session.ts'
import { type EmailColumn, type EmailRow, emailRowsAtOnce, readEmailRows } from './email-rows.ts'
import type { FetchItem, Span } from './fetch-item.ts'
import { FetchedMessage, type Source } from './fetched-message.ts'
import { areFlagLines, FlagLines } from './flag-lines.ts'
import { FlagTexts } from './flag-texts.ts'
import { modSeqItem } from './items/modseq.ts'
import { BrokenResponse } from './broken-response.ts'
import type { Targets } from './targets.ts'

/** Messages between two looks at back-pressure when the snapshot is enough. */
const plainChunk = 4096
/** Messages between two looks at the clock: where V8 has not compiled it yet, to write one takes tens of microseconds. */
const writtenAtOnce = 64
/** Messages whose bytes are read together, at most. */
const readAhead = 32

/** Where the bytes come from, undefined where none are needed, 'lost' where the content is gone. */
type MessageSource = Source | undefined | 'lost'

const noRows: ReadonlyMap<number, EmailRow> = new Map()

export class MessageWriter {
  readonly #session: Session
  readonly #out: Encoder
  readonly #items: readonly FetchItem[]
  readonly #columns: ReadonlySet<EmailColumn>
  /** The items that read bytes. */
  readonly #readers: readonly FetchItem[]
  /** The items that read something beside rows and bytes. */
  readonly #preparing: readonly FetchItem[]
  /** All that read bytes copy them. */
  readonly #copies: boolean
  readonly #showsFlags: boolean
  /** Messages with this modSeq became \Seen by this command and show it. */
  readonly #seenAt: ModSeq | undefined
  readonly #addsModSeq: boolean
  /** RFC 9586: no message numbers. */
  readonly #isUidOnly: boolean
  readonly #flagTexts: FlagTexts
  /** Where there is nothing else to write. */
  readonly #flagLines: FlagLines | undefined
  readonly #message: FetchedMessage
  /** UIDs of messages whose content was gone. */
  readonly lost: number[] = []

  constructor(session: Session, items: readonly FetchItem[], seenAt: ModSeq | undefined) {
    const { view, store, out } = session
    this.#session = session
    this.#out = out
    this.#items = items
    this.#columns = new Set(items.flatMap(({ columns }) => columns ?? []))
    this.#readers = items.filter(item => item.span !== undefined)
    this.#copies = this.#readers.every(({ copies }) => copies)
    this.#preparing = items.filter(item => item.prepare !== undefined)
    this.#showsFlags = items.some(({ showsFlags }) => showsFlags)
    this.#seenAt = this.#showsFlags ? undefined : seenAt
    this.#addsModSeq = session.has('CONDSTORE') && !items.includes(modSeqItem)
    this.#isUidOnly = session.has('UIDONLY')
    this.#flagTexts = new FlagTexts(view, out, !session.has('IMAP4REV2'))
    if (!this.#isUidOnly && areFlagLines(items)) {
      this.#flagLines = new FlagLines(out, this.#flagTexts, items.length > 1)
    }
    this.#message = new FetchedMessage(store, view.mailbox.account, view.snapshot, view.foreignOwner)
  }

  /** Why something could not be given of a message that is there. */
  get refusal(): ImapError | undefined {
    return this.#message.refusal
  }

  async write(targets: Targets): Promise<void> {
    const { connection } = this.#session
    const isPlain = this.#columns.size + this.#preparing.length === 0
    const step = isPlain ? plainChunk : emailRowsAtOnce(this.#columns)
    for (let from = 0; from < targets.count; from += step) {
      const to = Math.min(from + step, targets.count)
      const rows = await this.#readRows(targets, from, to)
      for (const item of this.#preparing) await item.prepare?.(targets.uids.subarray(from, to))
      if (this.#flagLines) this.#flagLines.write(targets, this.#message.snapshot.flags, from, to)
      else if (this.#readers.length > 0) await this.#writeWithBytes(targets, from, to, rows)
      else await this.#writeInBits(targets, from, to, rows)
      // The last of it goes out together with the tagged line.
      if (to === targets.count) return
      const drained = this.#out.drain()
      if (drained !== undefined) await drained
      const breath = connection.breathe()
      if (breath !== undefined) await breath
    }
  }

  async #readRows(targets: Targets, from: number, to: number): Promise<ReadonlyMap<number, EmailRow>> {
    if (this.#columns.size === 0) return noRows
    const { store, view } = this.#session
    const ids: EmailId[] = []
    for (let at = from; at < to; at++) {
      this.#moveTo(targets, at, undefined)
      ids.push(this.#message.email)
    }
    const { account } = view.mailbox
    const [only] = ids
    return only !== undefined && ids.length === 1
      ? this.#session.context.rowsAhead.read(store.reader, account, only, this.#columns)
      : readEmailRows(store.reader, account, ids, this.#columns)
  }

  /** Puts the cursor on a message. False when its email is gone. */
  #moveTo(targets: Targets, at: number, rows: ReadonlyMap<number, EmailRow> | undefined): boolean {
    const message = this.#message
    const uid = targets.uids[at] as number
    message.moveTo(targets.numbers[at] as number, uid, targets.positions[at] as number)
    if (!rows || this.#columns.size === 0) return true
    const row = rows.get(message.email)
    if (!row) {
      this.lost.push(uid)
      return false
    }
    message.row = row
    return true
  }

  async #writeInBits(
    targets: Targets,
    from: number,
    to: number,
    rows: ReadonlyMap<number, EmailRow>,
  ): Promise<void> {
    const { connection } = this.#session
    for (let at = from; at < to; at += writtenAtOnce) {
      const breath = connection.breathe()
      if (breath !== undefined) await breath
      this.#writePlain(targets, at, Math.min(at + writtenAtOnce, to), rows)
    }
  }

  #writePlain(targets: Targets, from: number, to: number, rows: ReadonlyMap<number, EmailRow>): void {
    const items = this.#items
    for (let at = from; at < to; at++) {
      if (!this.#moveTo(targets, at, rows)) continue
      this.#begin()
      for (let index = 0; index < items.length; index++) {
        if (index > 0) this.#out.byte(0x20)
        // An item that reads no bytes never waits.
        void (items[index] as FetchItem).write(this.#message, this.#out)
      }
      this.#end()
    }
  }

  async #writeWithBytes(
    targets: Targets,
    from: number,
    to: number,
    rows: ReadonlyMap<number, EmailRow>,
  ): Promise<void> {
    const items = this.#items
    for (let at = from; at < to; ) {
      const first = at
      const opened = this.#openSources(targets, first, to, rows)
      at += opened.length
      const settled = all(opened)
      const sources = settled instanceof Promise ? await settled : settled
      for (let index = 0; index < sources.length; index++) {
        const source = sources[index] as MessageSource
        if (source === 'lost') continue
        this.#moveTo(targets, first + index, rows)
        this.#message.source = source
        this.#begin()
        for (let item = 0; item < items.length; item++) {
          if (item > 0) this.#out.byte(0x20)
          const pending = this.#writeItem(items[item] as FetchItem)
          if (pending !== undefined) await pending
        }
        this.#end()
      }
      if (at === to) return
      // What was written does not wait for what is read.
      const drained = settled instanceof Promise ? this.#out.drain() : this.#out.drainIfBehind()
      if (drained !== undefined) await drained
      const breath = this.#session.connection.breathe()
      if (breath !== undefined) await breath
    }
  }

  /** Once a response is begun, a failure can't be told inside it. */
  #writeItem(item: FetchItem): Awaitable<void> {
    const fail = (error: unknown): never => {
      throw isConnectionError(error) ? error : new BrokenResponse(error)
    }
    try {
      return item.write(this.#message, this.#out)?.catch(fail)
    } catch (error) {
      return fail(error)
    }
  }

  /** Starts to read the next messages, as many as `limits.imap.readAheadBytes` has room for, or opens one. */
  #openSources(
    targets: Targets,
    from: number,
    to: number,
    rows: ReadonlyMap<number, EmailRow>,
  ): Awaitable<MessageSource>[] {
    const sources: Awaitable<MessageSource>[] = []
    let bytes = 0
    for (let at = from; at < to && sources.length < readAhead && bytes < limits.imap.readAheadBytes; at++) {
      const span = this.#moveTo(targets, at, rows) ? this.#firstSpan() : 'lost'
      if (typeof span === 'object') {
        const source = this.#openSource(span)
        sources.push(source)
        // What was read to open it is lost once the next is opened.
        if (typeof source === 'function') break
        bytes += span.end - span.start
      } else sources.push(span)
    }
    return sources
  }

  /** What the items read together of this message, cut to one piece: the rest of a large section is streamed. */
  #firstSpan(): Span | undefined {
    let start = Infinity
    let end = 0
    for (const item of this.#readers) {
      const span = item.span?.(this.#message)
      if (!span || span.start === span.end) continue
      start = Math.min(start, span.start)
      end = Math.max(end, span.end)
    }
    if (end === 0) return undefined
    return { start, end: Math.min(end, start + limits.imap.pieceBytes) }
  }

  #openSource(span: Span): Awaitable<MessageSource> {
    const { uid } = this.#message
    const { start, end } = span
    try {
      const copy = this.#message.open(end)
      if (copy && this.#copies) return copy
      const read = Buffer.allocUnsafe(copy ? end - start : 0)
      if (copy?.(start, end, read, 0)) return { ...span, bytes: read }
      const bytes = this.#message.readBytes(start, end)
      if (!(bytes instanceof Promise)) return { ...span, bytes }
      return bytes.then(
        later => ({ ...span, bytes: later }),
        (error: unknown) => this.#lose(uid, error),
      )
    } catch (error) {
      return this.#lose(uid, error)
    }
  }

  #lose(uid: number, error: unknown): 'lost' {
    if (!(error instanceof StoreError) || error.code !== 'no-such-body') throw error
    this.lost.push(uid)
    return 'lost'
  }

  #begin(): void {
    const message = this.#message
    const out = this.#out
    const isNewlySeen =
      this.#seenAt !== undefined && message.snapshot.modSeqs.at(message.position) === this.#seenAt
    if (this.#showsFlags || isNewlySeen) {
      message.flagsText = this.#flagTexts.of(message.snapshot.flags.at(message.position), message.uid)
    }
    out.byte(0x2a).byte(0x20)
    if (this.#isUidOnly) out.number(message.uid).ascii(' UIDFETCH (')
    else out.number(message.number).ascii(' FETCH (')
    // RFC 9051 §6.4.5: flags that this very command has changed are told with it.
    if (!isNewlySeen) return
    out.bytes(message.flagsText).byte(0x20)
    if (!this.#addsModSeq) return
    void modSeqItem.write(message, out)
    out.byte(0x20)
  }

  #end(): void {
    this.#out.byte(0x29).crlf()
  }
}

/** The values, without a wait where none is a promise. */
function all(sources: readonly Awaitable<MessageSource>[]): Awaitable<readonly MessageSource[]> {
  if (!sources.some(source => source instanceof Promise)) return sources as readonly MessageSource[]
  return Promise.all(sources.map(async source => source))
}
