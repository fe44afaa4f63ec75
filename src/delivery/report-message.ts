// Writes delivery status notifications. RFC 3464; RFC 3461 §6; RFC 6522 (multipart/report); RFC 6533 (internationalized); RFC 3834 §2.
import { createHash } from 'node:crypto'
import { findBodyStart } from '../message/header.ts'
import { isAscii } from '../smtp/mailbox.ts'
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
  // Nothing in the message can hold a boundary that is made of its own hash.
  const boundary = `report-${createHash('sha256').update(source.original).update(id).digest('hex').slice(0, 32)}`
  const isGlobal = !entries.every(entry => isAscii(entry.address)) || !isAscii(source.mailFrom)
  const returned = returnedPart(options, action, source)
  const head = [
    `From: Mail Delivery System <postmaster@${hostname}>`,
    `To: <${source.mailFrom}>`,
    `Subject: ${subjects[action]}`,
    `Date: ${formatDate(atMs)}`,
    `Message-ID: <${id}@${hostname}>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status;`,
    `\tboundary="${boundary}"`,
    ...(isGlobal || returned.is8Bit ? ['Content-Transfer-Encoding: 8bit'] : []),
    '',
    `--${boundary}`,
    `Content-Type: text/plain; charset=${isGlobal ? 'utf-8' : 'us-ascii'}`,
    ...(isGlobal ? ['Content-Transfer-Encoding: 8bit'] : []),
    '',
    ...explain(options, action, entries),
    `--${boundary}`,
    // RFC 6533 §3.
    `Content-Type: message/${isGlobal ? 'global-' : ''}delivery-status`,
    ...(isGlobal ? ['Content-Transfer-Encoding: 8bit'] : []),
    '',
    ...statusFields(options, action, source, entries),
    `--${boundary}`,
    ...returned.fields,
    '',
    '',
  ].join('\r\n')
  return Buffer.concat([Buffer.from(head), returned.body, Buffer.from(`\r\n--${boundary}--\r\n`)])
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

function explain(
  { hostname }: ReportOptions,
  action: ReportAction,
  entries: readonly ReportEntry[],
): string[] {
  const lines = [`This is the mail system at ${hostname}.`, '', explanations[action], '']
  for (const { address, diagnostic, remoteHost } of entries) {
    lines.push(`  <${address}>`)
    if (diagnostic === undefined) continue
    lines.push(
      `    ${remoteHost === undefined ? '' : `${printable(remoteHost)} said: `}${printable(diagnostic)}`,
    )
  }
  lines.push('')
  return lines
}

/** RFC 3464 §2.2, §2.3. */
function statusFields(
  { hostname }: ReportOptions,
  action: ReportAction,
  source: ReportSource,
  entries: readonly ReportEntry[],
): string[] {
  const lines: string[] = []
  if (source.envelopeId !== undefined) lines.push(`Original-Envelope-Id: ${printable(source.envelopeId)}`)
  lines.push(`Reporting-MTA: dns; ${hostname}`, `Arrival-Date: ${formatDate(source.arrivedAt)}`, '')
  for (const entry of entries) {
    if (entry.originalRecipient !== undefined)
      lines.push(`Original-Recipient: ${original(entry.originalRecipient)}`)
    lines.push(
      `Final-Recipient: ${isAscii(entry.address) ? 'rfc822' : 'utf-8'}; ${entry.address}`,
      `Action: ${action}`,
      `Status: ${entry.status}`,
    )
    if (entry.remoteHost !== undefined) lines.push(`Remote-MTA: dns; ${printable(entry.remoteHost)}`)
    if (entry.diagnostic !== undefined) lines.push(`Diagnostic-Code: smtp; ${printable(entry.diagnostic)}`)
    if (entry.lastAttemptAt !== undefined) lines.push(`Last-Attempt-Date: ${formatDate(entry.lastAttemptAt)}`)
    if (entry.retryUntil !== undefined) lines.push(`Will-Retry-Until: ${formatDate(entry.retryUntil)}`)
    lines.push('')
  }
  return lines
}

function original(originalRecipient: string): string {
  const semicolon = originalRecipient.indexOf(';')
  const text = decodeXtext(originalRecipient.slice(semicolon + 1))
  return `${originalRecipient.slice(0, semicolon)}; ${text.replaceAll(/[\x00-\x1f\x7f]/g, '?')}`
}

/** RFC 3461 §4.3: the message for a failure unless HDRS was asked for; its header otherwise. */
function returnedPart(
  { returnedBytes }: ReportOptions,
  action: ReportAction,
  { original: bytes, ret }: ReportSource,
) {
  const headerEnd = findBodyStart(bytes)
  const isWhole = action === 'failed' && ret !== 'HDRS' && bytes.length <= returnedBytes
  const body = isWhole ? bytes : cutAtLine(bytes.subarray(0, Math.min(headerEnd, headerBytes)))
  const is8Bit = body.some(byte => byte > 0x7f)
  const fields = [
    `Content-Type: ${isWhole ? 'message/rfc822' : 'text/rfc822-headers'}`,
    ...(is8Bit ? ['Content-Transfer-Encoding: 8bit'] : []),
  ]
  return { fields, body, is8Bit }
}

function cutAtLine(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf('\n')
  return end === -1 ? bytes : bytes.subarray(0, end + 1)
}

/** What another server said, fit for a header field: printable ASCII on one line. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 800)
}
