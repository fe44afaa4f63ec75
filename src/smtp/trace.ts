// Trace fields. RFC 5321 §4.4; RFC 3848 and RFC 6531 §4.3 (protocol keywords).
import { isIPv6 } from 'node:net'
import { formatPath, isAddressLiteral, isDomain, type Mailbox } from './mailbox.ts'

export interface Reception {
  /** What HELO, EHLO or LHLO said. Untrusted: left out unless it is in the grammar. */
  readonly helo: string
  /** The peer's IP address; '' for a unix socket. Undefined keeps the whole `from` clause out. */
  readonly address: string | undefined
  readonly hostname: string
  readonly protocol: 'smtp' | 'esmtp' | 'lmtp'
  readonly smtpUtf8: boolean
  readonly isSecure: boolean
  readonly isAuthenticated: boolean
  /** TLS version and cipher, for the comment. */
  readonly tls?: string | undefined
  /** Names the transaction in the log. */
  readonly id: string
  /** The one recipient; undefined when there are several, so that none learns of another (RFC 5321 §7.2). */
  readonly recipient: Mailbox | undefined
  readonly atMs: number
}

/** A Received field, folded, with its CRLF. */
export function receivedField(reception: Reception): string {
  const { address, hostname, id, recipient, tls } = reception
  const from = address === undefined ? '' : `from ${fromDomain(reception.helo, address)}\r\n\t`
  const secured = tls === undefined ? '' : ` (${tls.replaceAll(/[^A-Za-z0-9._ -]/g, '')})`
  const target = recipient === undefined ? '' : `\r\n\tfor ${formatPath(recipient)}`
  return `Received: ${from}by ${hostname} with ${protocolKeyword(reception)}${secured}\r\n\tid ${id}${target};\r\n\t${formatDate(reception.atMs)}\r\n`
}

/** RFC 3848; RFC 6531 §4.3. */
export function protocolKeyword({ protocol, smtpUtf8, isSecure, isAuthenticated }: Reception): string {
  if (protocol === 'smtp') return 'SMTP'
  const base = protocol === 'lmtp' ? (smtpUtf8 ? 'UTF8LMTP' : 'LMTP') : smtpUtf8 ? 'UTF8SMTP' : 'ESMTP'
  return `${base}${isSecure ? 'S' : ''}${isAuthenticated ? 'A' : ''}`
}

/** A Return-Path field with its CRLF. */
export function returnPathField(mailFrom: Mailbox | undefined): string {
  return `Return-Path: ${formatPath(mailFrom)}\r\n`
}

/** An IP address as an address literal (RFC 5321 §4.1.3). */
export function addressLiteral(address: string): string {
  return isIPv6(address) ? `[IPv6:${address}]` : `[${address}]`
}

/** RFC 5322 §3.3, in UTC. */
export function formatDate(atMs: number): string {
  return new Date(atMs).toUTCString().replace('GMT', '+0000')
}

function fromDomain(helo: string, address: string): string {
  const literal = addressLiteral(address === '' ? '127.0.0.1' : address)
  return isDomain(helo) || isAddressLiteral(helo) ? `${helo} (${literal})` : `${literal} (${literal})`
}
