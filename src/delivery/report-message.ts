// Writes delivery status notifications. RFC 3464; RFC 3461 §6; RFC 6522 (multipart/report); RFC 6533 §3 (internationalized); RFC 3834 §2.
import { createHash } from 'node:crypto'
import { type ComposePart, composeMessage } from '../message/compose.ts'
import { findBodyStart } from '../message/header.ts'
import { isAscii, parseMailbox } from '../smtp/mailbox.ts'
import { asciiOriginalRecipient } from '../smtp/parameters.ts'
import { formatDate } from '../smtp/trace.ts'
import { decodeXtext } from '../smtp/xtext.ts'

export type ReportAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

/** What is told of one recipient. */
export interface ReportEntry {
  readonly address: string
  /** ORCPT as it came (`rfc822;…` in xtext). */
  readonly originalRecipient: string | undefined
  /** `5.1.1`. */
  readonly status: string
  /** The server that spoke; undefined for us. */
  readonly remoteHost?: string | undefined
  /** What it said, code and all. */
  readonly diagnostic?: string | undefined
  readonly lastAttemptAt?: number | undefined
  readonly retryUntil?: number | undefined
}

/** The message that is reported on. */
export interface ReportSource {
  /** Who is told. */
  readonly mailFrom: string
  readonly envelopeId: string | undefined
  readonly arrivedAt: number
  /** As it was sent on, without Return-Path. */
  readonly original: Buffer
  readonly ret: 'FULL' | 'HDRS' | undefined
}

export interface ReportOptions {
  readonly hostname: string
  readonly atMs: number
  /** Makes the Message-ID unlike any other. */
  readonly id: string
  /** A larger message is returned without its body. */
  readonly returnedBytes: number
}

/** Bytes of a header block that are returned. */
const headerBytes = 64 * 1024

/** A whole message, without trace fields. */
export function composeReport(
  options: ReportOptions,
  action: ReportAction,
  source: ReportSource,
  entries: readonly ReportEntry[],
): Buffer {
  const { hostname, atMs, id } = options
  const { local, domain } = parseMailbox(source.mailFrom)
  // Nothing in the message can hold a boundary that is made of its own hash.
  let count = 0
  const randomText = () =>
    createHash('sha256').update(`${id} ${count++} `).update(source.original).digest('hex').slice(0, 32)
  return composeMessage(
    {
      fields: [['Auto-Submitted', 'auto-replied']],
      from: [{ name: 'Mail Delivery System', address: `postmaster@${hostname}` }],
      to: [{ address: `${local}@${domain}` }],
      subject: subjects[action],
      dateMs: atMs,
      messageId: `${id}@${hostname}`,
      body: {
        kind: 'multipart',
        subtype: 'report',
        params: [['report-type', 'delivery-status']],
        parts: [
          { kind: 'text', text: explain(options, action, entries) },
          {
            kind: 'status',
            type: 'message/delivery-status',
            groups: [messageFields(options, source), ...entries.map(entry => recipientFields(action, entry))],
          },
          returnedPart(options, action, source),
        ],
      },
    },
    randomText,
  )
}

const subjects: Readonly<Record<ReportAction, string>> = {
  failed: 'Your message could not be delivered',
  delayed: 'Your message is delayed',
  delivered: 'Your message was delivered',
  relayed: 'Your message was passed on',
  expanded: 'Your message was passed on to several recipients',
}

const explanations: Readonly<Record<ReportAction, string>> = {
  failed: 'Your message could not be delivered to:',
  delayed:
    'Your message has not reached these recipients yet. It is still being tried; you need not do anything:',
  delivered: 'Your message was delivered to:',
  relayed: 'Your message was passed on to a system that sends no confirmations, for:',
  expanded: 'Your message was passed on to all who are behind this address:',
}

function explain({ hostname }: ReportOptions, action: ReportAction, entries: readonly ReportEntry[]): string {
  const lines = [`This is the mail system at ${hostname}.`, '', explanations[action], '']
  for (const { address, diagnostic, remoteHost } of entries) {
    lines.push(`  <${address}>`)
    if (diagnostic === undefined) continue
    lines.push(
      `    ${remoteHost === undefined ? '' : `${printable(remoteHost)} said: `}${printable(diagnostic)}`,
    )
  }
  return `${lines.join('\r\n')}\r\n`
}

type Fields = readonly (readonly [name: string, value: string])[]

/** RFC 3464 §2.2. */
function messageFields({ hostname }: ReportOptions, { envelopeId, arrivedAt }: ReportSource): Fields {
  return [
    ...optional('Original-Envelope-Id', envelopeId),
    ['Reporting-MTA', `dns; ${hostname}`],
    ['Arrival-Date', formatDate(arrivedAt)],
  ]
}

/** RFC 3464 §2.3. */
function recipientFields(action: ReportAction, entry: ReportEntry): Fields {
  const { address, originalRecipient, remoteHost, diagnostic, lastAttemptAt, retryUntil } = entry
  return [
    ...optional(
      'Original-Recipient',
      originalRecipient === undefined ? undefined : decodeOriginal(originalRecipient),
    ),
    ['Final-Recipient', typedAddress(isAscii(address) ? 'rfc822' : 'utf-8', address)],
    ['Action', action],
    ['Status', entry.status],
    ...optional('Remote-MTA', remoteHost === undefined ? undefined : `dns; ${printable(remoteHost)}`),
    ...optional('Diagnostic-Code', diagnostic === undefined ? undefined : `smtp; ${printable(diagnostic)}`),
    ...optional('Last-Attempt-Date', lastAttemptAt === undefined ? undefined : formatDate(lastAttemptAt)),
    ...optional('Will-Retry-Until', retryUntil === undefined ? undefined : formatDate(retryUntil)),
  ]
}

function optional(name: string, value: string | undefined): Fields {
  return value === undefined ? [] : [[name, value]]
}

function decodeOriginal(originalRecipient: string): string {
  const semicolon = originalRecipient.indexOf(';')
  const text = decodeXtext(originalRecipient.slice(semicolon + 1))
  return typedAddress(originalRecipient.slice(0, semicolon), text.replaceAll(/[\x00-\x1f\x7f]/g, '?'))
}

/** RFC 6533 §3: in message/delivery-status what is not ASCII stands as `\x{…}`. */
function typedAddress(type: string, address: string): string {
  return `${type}; ${asciiOriginalRecipient(address)}`
}

/** RFC 3461 §4.3: the message for a failure unless HDRS was asked for; its header otherwise. */
function returnedPart(
  { returnedBytes }: ReportOptions,
  action: ReportAction,
  { original, ret }: ReportSource,
): ComposePart {
  const isWhole = action === 'failed' && ret !== 'HDRS' && original.length <= returnedBytes
  if (isWhole) return { kind: 'message', bytes: original }
  const header = original.subarray(0, Math.min(findBodyStart(original), headerBytes))
  return { kind: 'message', type: 'text/rfc822-headers', bytes: cutAtLine(header) }
}

function cutAtLine(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf('\n')
  return end === -1 ? bytes : bytes.subarray(0, end + 1)
}

/** What another server said, fit for a header field: printable ASCII on one line. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 800)
}
