// Gives one email to the index: the texts and header values that a search would look through.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, BlobHash } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { searchableHeader, searchableHeaderBytes, textsWithin } from '../../message/searchable-text.ts'
import { unpackParts } from '../../message/sections.ts'
import { StoreError } from '../error.ts'
import { findLocation, locationSql } from '../read/body-location.ts'
import type { BodyLocation, Reader } from '../store.ts'
import type { KeptNumbers } from './kept-numbers.ts'
import type { KeptTexts } from './kept-texts.ts'

/** The columns of `email` that it takes, and what comes of them. */
export interface IndexedEmail extends KeptNumbers, KeptTexts {
  readonly id: number
  readonly hash: BlobHash
  /** The hash as bytes. */
  readonly blob: Uint8Array
  readonly size_bytes: number
  readonly header_bytes: number
  readonly parts: Uint8Array
  /** Where its body lies, in stores whose rows say it. */
  readonly location: BodyLocation | undefined
}

/** Emails of an account from one id to another, in that order. */
export async function readIndexedEmails(
  reader: Pick<Reader, 'arrays' | 'knowsLocations'>,
  account: AccountId,
  first: number,
  last: number,
): Promise<readonly IndexedEmail[]> {
  const { columns, join } = locationSql(reader)
  const rows = await reader.arrays<IndexedRow>(
    `SELECT e.id, e.blob, e.size_bytes, e.header_bytes, e.parts, e.sent_at, e.sent_zone_minutes, e.is_reply,
       e.base_subject, e.message_id, e.reference_ids${columns}
     FROM email e ${join} WHERE e.account = ? AND e.id BETWEEN ? AND ? ORDER BY e.id`,
    account,
    first,
    last,
  )
  return rows.map(row => ({
    id: row[0],
    hash: Buffer.from(row[1]).toString('hex') as BlobHash,
    blob: row[1],
    size_bytes: row[2],
    header_bytes: row[3],
    parts: row[4],
    sent_at: row[5],
    sent_zone_minutes: row[6],
    is_reply: row[7],
    base_subject: row[8],
    message_id: row[9],
    reference_ids: row[10],
    location: findLocation(row, 11),
  }))
}

/** Columns of the body's location follow. */
type IndexedRow = readonly [
  id: number,
  blob: Uint8Array,
  size_bytes: number,
  header_bytes: number,
  parts: Uint8Array,
  sent_at: number | null,
  sent_zone_minutes: number,
  is_reply: number,
  base_subject: string,
  message_id: string,
  reference_ids: string,
]

/** What is known of an email before it is read. */
export type BegunEmail = KeptNumbers & KeptTexts & { readonly id: number; readonly hash: string }

/** What takes in the content of emails, by their slots in a chunk. */
export interface EmailSink {
  begin(slot: number, email: BegunEmail): void
  /** A text of the message, not folded. */
  addText(slot: number, text: string, isHeader: boolean): void
  /** The values of the message's header fields, decoded, by lower-case name. Their words stand in the header's text too. */
  addHeader(slot: number, values: ReadonlyMap<string, readonly string[]>): void
  /** Nothing can be said of the message's headers. */
  openHead(slot: number): void
  openBody(slot: number): void
}

/** How much of a message is read first: all of it, or what has its header fields. */
export function headBytesOf({ size_bytes, header_bytes }: IndexedEmail): number {
  return size_bytes <= limits.search.wholeBytes ? size_bytes : searchableHeaderBytes(header_bytes)
}

export interface EmailSource {
  /** The first `headBytesOf` bytes, which stay as they are until the email is done. Throws `StoreError`. */
  head(): Awaitable<Buffer>
  /** Bytes of the message. Throws `StoreError`. */
  read(start: number, end: number): Awaitable<Buffer>
  breathe(): Awaitable<void>
}

/** What cannot be read, or is more than the index takes, is left open: a search looks at it. */
export async function addEmail(
  sink: EmailSink,
  slot: number,
  email: IndexedEmail,
  source: EmailSource,
): Promise<void> {
  try {
    const head = await source.head()
    sink.begin(slot, email)
    addHeader(sink, slot, head, email.header_bytes)
    await addTexts(sink, slot, email.parts, head, source)
  } catch (error) {
    // Its last message was expunged meanwhile, and it is purged.
    if (error instanceof StoreError && error.code === 'no-such-body') return
    if (!(error instanceof StoreError && error.code === 'corrupt')) throw error
    sink.openHead(slot)
    sink.openBody(slot)
  }
}

function addHeader(sink: EmailSink, slot: number, head: Buffer, headerBytes: number): void {
  const { text, values } = searchableHeader(head, headerBytes)
  sink.addHeader(slot, values)
  sink.addText(slot, text, true)
}

async function addTexts(
  sink: EmailSink,
  slot: number,
  packedParts: Uint8Array,
  head: Buffer,
  source: EmailSource,
): Promise<void> {
  const steps = textsWithin(unpackParts(packedParts), true)
  let bytes: Buffer | undefined
  for (let { done, value } = steps.next(); !done; { done, value } = steps.next(bytes)) {
    const step = value
    bytes = undefined
    if (!step) return
    if (step.kind === 'text') sink.addText(slot, step.text, step.isHeader)
    else if (step.kind === 'pause') {
      const breath = source.breathe()
      if (breath !== undefined) await breath
    } else if (step.end <= head.length) bytes = head.subarray(step.start, step.end)
    else if (step.end - step.start <= limits.search.partBytes) bytes = await source.read(step.start, step.end)
    else {
      sink.openHead(slot)
      sink.openBody(slot)
    }
  }
}
