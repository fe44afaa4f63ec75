// A stored message as a program wants it: decoded, with its links, codes and attachments as values. RFC 5322; RFC 2045 to 2047; RFC 2183; RFC 2231.
import { type Address, parseAddresses } from '../message/address.ts'
import { decodeCharset, decodeRaw } from '../message/charset.ts'
import { parseDate } from '../message/date.ts'
import { decodeWords } from '../message/encoded-word.ts'
import { fieldValues, unfold } from '../message/header.ts'
import { htmlToText } from '../message/html.ts'
import { parseMessageIds } from '../message/message-id.ts'
import { findParameter } from '../message/parameters.ts'
import { type Part, parseMessage } from '../message/part.ts'
import { fileName } from '../message/text.ts'
import { decodeTransfer } from '../message/transfer.ts'
import type { FlagSet } from '../store/flags.ts'
import { flagNames } from './flag-names.ts'
import { findLinks, type Link } from './links.ts'
import { findCodes } from './one-time-codes.ts'

export type { Link } from './links.ts'

/** Someone in an address field. */
export interface MailAddress {
  /** The display name, decoded; empty when there is none. */
  readonly name: string
  /** `local@domain`. */
  readonly address: string
}

export interface Attachment {
  /** Decoded; undefined when it has none. */
  readonly fileName: string | undefined
  /** In lower case, such as `image/png`. */
  readonly contentType: string
  /** Without angle brackets: what `cid:` in the HTML names. */
  readonly contentId: string | undefined
  /** Meant to be shown within the text. */
  readonly isInline: boolean
  readonly bytes: Buffer
}

export interface ReceivedMessage {
  /** Where it lies: the mailbox's whole name and the UID in it. */
  readonly mailbox: string
  readonly uid: number
  /** `\Seen` and so on, and keywords. */
  readonly flags: readonly string[]
  readonly receivedAt: Date
  readonly from: readonly MailAddress[]
  readonly to: readonly MailAddress[]
  readonly cc: readonly MailAddress[]
  readonly replyTo: readonly MailAddress[]
  readonly subject: string
  readonly date: Date | undefined
  /** Without angle brackets; empty when there is none. */
  readonly messageId: string
  readonly inReplyTo: string | undefined
  /** The plain text; made of the HTML when there is no other. */
  readonly text: string
  /** Undefined when there is none. */
  readonly html: string | undefined
  /** Every link of the HTML and the text, each once. */
  readonly links: readonly Link[]
  /** What looks like a one-time code, the likeliest first. */
  readonly codes: readonly string[]
  readonly attachments: readonly Attachment[]
  /** The message as it is stored. */
  readonly raw: Buffer
  /** The decoded values of a header field, in order; none when it is not there. */
  header(name: string): readonly string[]
}

export interface StoredPlace {
  readonly mailbox: string
  readonly uid: number
  readonly flags: FlagSet
  readonly receivedAt: number
}

/** Reads a whole message. Never throws: what is broken reads as far as it goes. */
export function readMessage(raw: Buffer, place: StoredPlace): ReceivedMessage {
  const root = parseMessage(raw)
  const content = collect(raw, root)
  const html = content.html.length > 0 ? content.html.join('\n') : undefined
  const text = content.text.length > 0 ? content.text.join('\n') : html === undefined ? '' : htmlToText(html)
  const fields = root.message
  const subject = decodeWords(unfold(fields?.subject ?? ''))
  return {
    mailbox: place.mailbox,
    uid: place.uid,
    flags: flagNames(place.flags),
    receivedAt: new Date(place.receivedAt),
    from: addressesOf(fields?.from),
    to: addressesOf(fields?.to),
    cc: addressesOf(fields?.cc),
    replyTo: addressesOf(fields?.replyTo),
    subject,
    date: dateOf(fields?.date),
    messageId: parseMessageIds(fields?.messageId ?? '')[0] ?? '',
    inReplyTo: parseMessageIds(fields?.inReplyTo ?? '')[0],
    text,
    html,
    links: findLinks(html, text),
    codes: findCodes(subject, text),
    attachments: content.attachments,
    raw,
    header: name => fieldValues(raw, name).map(value => decodeWords(value)),
  }
}

function dateOf(value: string | undefined): Date | undefined {
  const parsed = value === undefined ? undefined : parseDate(value)
  return parsed && new Date(parsed.epochMs)
}

function addressesOf(values: readonly string[] | undefined): MailAddress[] {
  return (values ?? []).flatMap(value => parseAddresses(value).flatMap(mailAddress))
}

function mailAddress(address: Address): MailAddress[] {
  if (address.kind !== 'mailbox' || address.mailbox === undefined) return []
  const domain = address.domain === undefined ? '' : `@${decodeRaw(address.domain)}`
  return [{ name: decodeWords(address.name ?? ''), address: `${decodeRaw(address.mailbox)}${domain}` }]
}

interface Content {
  readonly text: string[]
  readonly html: string[]
  readonly attachments: Attachment[]
}

/** Walks the parts without recursion: a message may nest deeply. */
function collect(raw: Buffer, root: Part): Content {
  const content: Content = { text: [], html: [], attachments: [] }
  const waiting: Part[] = [root]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part.type === 'multipart') waiting.push(...part.children.toReversed())
    else takeLeaf(raw, part, content)
  }
  return content
}

function takeLeaf(raw: Buffer, part: Part, content: Content): void {
  const bytes = decodeTransfer(raw.subarray(part.bodyStart, part.bodyEnd), part.encoding)
  const disposition = part.disposition?.type.toLowerCase()
  if (
    part.type === 'text' &&
    disposition !== 'attachment' &&
    (part.subtype === 'plain' || part.subtype === 'html')
  ) {
    const text = decodeCharset(bytes, findParameter(part.params, 'charset') ?? 'us-ascii').replaceAll(
      '\r\n',
      '\n',
    )
    content[part.subtype === 'html' ? 'html' : 'text'].push(text)
    return
  }
  content.attachments.push({
    fileName: fileName(raw, part),
    contentType: `${part.type}/${part.subtype}`,
    contentId: part.id?.replaceAll(/^[\s<]+|[\s>]+$/g, ''),
    isInline: disposition === 'inline',
    // A copy: what the caller keeps does not pin the whole message.
    bytes: Buffer.from(bytes),
  })
}
