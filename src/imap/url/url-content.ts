// What an IMAP URL names, in a mailbox of the store. RFC 5092 §7, from knowledge of it; RFC 4469 §3; RFC 5550 (PARTIAL).
import type { Awaitable } from '../../base/awaitable.ts'
import { limits } from '../../base/limits.ts'
import { headerFields } from '../../message/sections.ts'
import { StoreError } from '../../store/error.ts'
import type { Store } from '../../store/store.ts'
import { rightsFor } from '../command-rights.ts'
import { ImapError } from '../error.ts'
import { readEmailRows } from '../fetch/email-rows.ts'
import { FetchedMessage } from '../fetch/fetched-message.ts'
import { fieldsSpan, sectionSpan } from '../fetch/section-bytes.ts'
import { parseSection, type SectionName } from '../fetch/section-name.ts'
import { Parser } from '../input/parser.ts'
import { findVisible, mayUse, type MailboxKey, type Viewer, type VisibleMailbox } from '../mailbox-access.ts'
import type { ImapUrl, UrlPartial } from './imap-url.ts'

/** Bytes that a URL stands for. */
export interface UrlContent {
  readonly sizeBytes: number
  /** Bytes `[start, end)` of it. Throws `StoreError` `no-such-body` when the message is gone meanwhile. */
  read(start: number, end: number): Awaitable<Buffer>
  readonly message: FetchedMessage
  /** Undefined for the whole message. */
  readonly section: SectionName | undefined
  readonly partial: UrlPartial | undefined
}

/** The mailbox that a URL names, as `name`; undefined when there is none, or it is not the one that the URL meant (UIDVALIDITY). */
export async function findUrlMailbox(
  viewer: Viewer,
  name: string,
  url: ImapUrl,
): Promise<VisibleMailbox | undefined> {
  const mailbox = await findVisible(viewer, name)
  if (!mailbox || !mayUse(mailbox, rightsFor('URLFETCH'))) return undefined
  return (url.uidValidity ?? mailbox.uidValidity) === mailbox.uidValidity ? mailbox : undefined
}

/** The bytes that `url` stands for in `mailbox`; undefined when there is no such message or part. */
export async function openUrl(
  store: Store,
  mailbox: MailboxKey,
  url: ImapUrl,
): Promise<UrlContent | undefined> {
  const section = url.section === undefined ? undefined : parseUrlSection(url.section)
  if (section === 'invalid') return undefined
  try {
    const message = await findMessage(store, mailbox, url.uid)
    return message && (await openSection(message, section, url.partial))
  } catch (error) {
    // Expunged, or its mailbox deleted, while it was looked at.
    if (error instanceof StoreError && (error.code === 'no-such-mailbox' || error.code === 'no-such-body'))
      return undefined
    throw error
  }
}

function parseUrlSection(text: string): SectionName | 'invalid' {
  const parser = new Parser({ pieces: [{ text: Buffer.from(`[${text}]`), literal: undefined }] })
  try {
    const section = parseSection(parser)
    parser.end()
    return section
  } catch (error) {
    if (error instanceof ImapError) return 'invalid'
    throw error
  }
}

async function findMessage(
  store: Store,
  { account, id }: MailboxKey,
  uid: number,
): Promise<FetchedMessage | undefined> {
  const snapshot = await store.snapshot(account, id)
  const position = snapshot.positionOf(uid)
  if (position < 0) return undefined
  const message = new FetchedMessage(store, account, snapshot)
  message.moveTo(position + 1, uid, position)
  const { email } = message
  const rows = await readEmailRows(
    store.reader,
    account,
    [email],
    new Set(['blob', 'header_bytes', 'parts', 'size_bytes'] as const),
  )
  const row = rows.get(email)
  if (!row) return undefined
  message.row = row
  return message
}

async function openSection(
  message: FetchedMessage,
  section: SectionName | undefined,
  partial: UrlPartial | undefined,
): Promise<UrlContent | undefined> {
  const span = sectionSpan(message, section ?? { kind: 'BODY', path: [] })
  if (!span) return undefined
  if (section && 'fields' in section) {
    const block = fieldsSpan(span)
    const all = headerFields(
      await message.readBytes(block.start, Math.min(block.end, block.start + limits.message.headerBytes)),
      section.fields,
      section.kind === 'HEADER.FIELDS.NOT',
    )
    const { start, end } = cut(0, all.length, partial)
    const chosen = all.subarray(start, end)
    return {
      message,
      section,
      partial,
      sizeBytes: chosen.length,
      read: (from, to) => chosen.subarray(from, to),
    }
  }
  const { start, end } = cut(span.start, span.end, partial)
  return {
    message,
    section,
    partial,
    sizeBytes: end - start,
    read: (from, to) => message.readBytes(start + from, Math.min(start + to, end)),
  }
}

/** Bytes from `start` to `end` that a partial asks for. */
export function cut(
  start: number,
  end: number,
  partial: UrlPartial | undefined,
): { start: number; end: number } {
  if (!partial) return { start, end }
  const from = Math.min(start + partial.offset, end)
  return { start: from, end: partial.count === undefined ? end : Math.min(from + partial.count, end) }
}
