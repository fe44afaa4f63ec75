// The address grammar of the envelope: mailboxes and paths. RFC 5321 §4.1.2, §4.1.3, Appendix C; RFC 6531 §3.3.
import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { limits } from '../base/limits.ts'

/** One address. Compare domains with `asciiDomain`; local parts are kept as they were sent. */
export interface Mailbox {
  /** The local part with its quoting taken off. */
  readonly local: string
  /** As it was sent; `[…]` for an address literal, '' only for `<postmaster>` (RFC 5321 §4.5.1). */
  readonly domain: string
}

/** Thrown by the parsers of this folder: what stands there is not in the grammar. The message may be told to the peer. */
export class SmtpSyntaxError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SmtpSyntaxError'
  }
}

/** What `parsePath` found, and where it ended. */
export interface ParsedPath {
  /** Undefined for the null path `<>`. */
  readonly mailbox: Mailbox | undefined
  /** Index of the first character behind the `>`. */
  readonly end: number
}

/** `<…>` at `start`. A source route is read and dropped (RFC 5321 §4.1.2, Appendix C). Throws SmtpSyntaxError. */
export function parsePath(text: string, start: number): ParsedPath {
  if (text[start] !== '<') throw new SmtpSyntaxError('the address must be in angle brackets')
  let position = start + 1
  if (text[position] === '>') return { mailbox: undefined, end: position + 1 }
  if (text[position] === '@') position = skipRoute(text, position)
  const { mailbox, end } = parseMailboxAt(text, position, '>')
  if (text[end] !== '>') throw new SmtpSyntaxError('the address has no closing angle bracket')
  if (Buffer.byteLength(text.slice(start, end + 1)) > limits.smtp.pathBytes)
    throw new SmtpSyntaxError('the path is too long')
  return { mailbox, end: end + 1 }
}

/** A whole string that is one mailbox (`local@domain`). Throws SmtpSyntaxError. */
export function parseMailbox(text: string): Mailbox {
  const { mailbox, end } = parseMailboxAt(text, 0, '')
  if (end !== text.length) throw new SmtpSyntaxError('something follows the address')
  return mailbox
}

/** The text of a mailbox with the least quoting (RFC 5321 §4.1.2: all quoted forms are equivalent). */
export function formatMailbox(mailbox: Mailbox): string {
  const local = isDotString(mailbox.local) ? mailbox.local : quote(mailbox.local)
  return mailbox.domain === '' ? local : `${local}@${mailbox.domain}`
}

/** The path of a mailbox as MAIL and RCPT want it; `<>` for none. */
export function formatPath(mailbox: Mailbox | undefined): string {
  return mailbox === undefined ? '<>' : `<${formatMailbox(mailbox)}>`
}

/** The domain in lower case and as A-labels: what is compared and looked up. '' when it can't be converted. */
export function asciiDomain(domain: string): string {
  if (domain.startsWith('[')) return domain.toLowerCase()
  return isAscii(domain) ? domain.toLowerCase() : domainToASCII(domain)
}

/** Whether this mailbox needs SMTPUTF8 even when its domain is sent as A-labels. */
export function needsSmtpUtf8(mailbox: Mailbox): boolean {
  return !isAscii(mailbox.local)
}

/** RFC 5321 §4.1.2 Domain, with U-labels (RFC 6531 §3.3). */
export function isDomain(text: string): boolean {
  return text !== '' && domainEnd(text, 0) === text.length
}

/** RFC 5321 §4.1.3, with its brackets. */
export function isAddressLiteral(text: string): boolean {
  if (!text.startsWith('[') || !text.endsWith(']')) return false
  const inner = text.slice(1, -1)
  if (isIPv4(inner)) return true
  // No tag but this one is standardized (General-address-literal). A zone (`%eth0`) is no part of IPv6-addr.
  return /^ipv6:/i.test(inner) && isIPv6(inner.slice(5)) && !inner.includes('%')
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function skipRoute(text: string, start: number): number {
  let position = start
  for (;;) {
    if (text[position] !== '@') throw new SmtpSyntaxError('a source route is malformed')
    const end = text[position + 1] === '[' ? literalEnd(text, position + 1) : domainEnd(text, position + 1)
    if (end === position + 1) throw new SmtpSyntaxError('a source route is malformed')
    if (text[end] === ':') return end + 1
    if (text[end] !== ',') throw new SmtpSyntaxError('a source route is malformed')
    position = end + 1
  }
}

function parseMailboxAt(text: string, start: number, closing: string): { mailbox: Mailbox; end: number } {
  const { local, end: at } = text[start] === '"' ? parseQuoted(text, start) : parseDotString(text, start)
  if (Buffer.byteLength(local) > limits.smtp.localPartBytes)
    throw new SmtpSyntaxError('the local part is too long')
  // RFC 5321 §4.1.1.3, §4.5.1: <Postmaster> without a domain.
  if (text[at] === closing && local.toLowerCase() === 'postmaster')
    return { mailbox: { local, domain: '' }, end: at }
  if (text[at] !== '@') throw new SmtpSyntaxError('the address has no domain')
  const end = text[at + 1] === '[' ? literalEnd(text, at + 1) : domainEnd(text, at + 1)
  if (end === at + 1) throw new SmtpSyntaxError('the domain of the address is malformed')
  return { mailbox: { local, domain: text.slice(at + 1, end) }, end }
}

function parseDotString(text: string, start: number): { local: string; end: number } {
  let end = start
  while (end < text.length && (isAtext(text.charCodeAt(end)) || text[end] === '.')) end++
  const local = text.slice(start, end)
  if (!isDotString(local)) throw new SmtpSyntaxError('the local part is malformed')
  return { local, end }
}

function parseQuoted(text: string, start: number): { local: string; end: number } {
  const pieces: string[] = []
  let from = start + 1
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) {
      pieces.push(text.slice(from, i))
      return { local: pieces.join(''), end: i + 1 }
    }
    if (code === 0x5c) {
      pieces.push(text.slice(from, i))
      i++
      from = i
      const escaped = text.charCodeAt(i)
      if (!(escaped >= 0x20 && escaped <= 0x7e)) break
    } else if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) break
  }
  throw new SmtpSyntaxError('the quoted local part is malformed')
}

function quote(local: string): string {
  return `"${local.replaceAll(/["\\]/g, '\\$&')}"`
}

function isDotString(text: string): boolean {
  let isAfterDot = true
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '.') {
      if (isAfterDot) return false
      isAfterDot = true
    } else {
      if (!isAtext(text.charCodeAt(i))) return false
      isAfterDot = false
    }
  }
  return !isAfterDot
}

// RFC 5322 §3.2.3; everything past ASCII by RFC 6531 §3.3.
const atext = new Set(
  Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~", c =>
    c.charCodeAt(0),
  ),
)

function isAtext(code: number): boolean {
  return code > 0x9f || atext.has(code)
}

function everyCode(text: string, holds: (code: number) => boolean): boolean {
  for (let i = 0; i < text.length; i++) if (!holds(text.charCodeAt(i))) return false
  return true
}

function isLdh(code: number): boolean {
  return isLetDig(code) || code === 0x2d
}

function isLetDig(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
}

function isLabel(text: string): boolean {
  return (
    text !== '' &&
    everyCode(text, isLdh) &&
    isLetDig(text.charCodeAt(0)) &&
    isLetDig(text.charCodeAt(text.length - 1))
  )
}

/** Where a domain that starts at `start` ends; `start` when there is none. */
function domainEnd(text: string, start: number): number {
  let end = start
  while (
    end < text.length &&
    (isLdh(text.charCodeAt(end)) || text[end] === '.' || text.charCodeAt(end) > 0x9f)
  )
    end++
  const domain = text.slice(start, end)
  const ascii = isAscii(domain) ? domain : domainToASCII(domain)
  if (ascii === '' || ascii.length > 255) return start
  return ascii.split('.').every(label => label.length <= 63 && isLabel(label)) ? end : start
}

function literalEnd(text: string, start: number): number {
  const close = text.indexOf(']', start)
  return close !== -1 && isAddressLiteral(text.slice(start, close + 1)) ? close + 1 : start
}
