// Addresses in the one form that the directory keeps. RFC 5321 §4.1.2, §4.5.3.1; RFC 6531 §3.3; RFC 5890 (A-labels).
//
// Invariant: equal addresses have equal strings: the local part in NFC and lower case, the domain as lower-case A-labels.
import { domainToASCII } from 'node:url'
import type { Addressing } from './config.ts'

/** Octets of a local part, a domain and a whole address, RFC 5321 §4.5.3.1. */
const localPartBytes = 64
const domainBytes = 253
const addressBytes = 254

export interface Address {
  /** `localPart@domain`. */
  readonly address: string
  readonly localPart: string
  readonly domain: string
}

/**
 * The normal form of `text`; an address without a domain gets the default one. Undefined for what no account can be called: controls, spaces,
 * characters that need quotes, a domain that is none, or too long.
 */
export function parseAddress(text: string, addressing: Addressing): Address | undefined {
  if (text.length > addressBytes) return undefined
  const at = text.lastIndexOf('@')
  const domain = normalizeDomain(at === -1 ? addressing.defaultDomain : text.slice(at + 1))
  const localPart = normalizeLocalPart(at === -1 ? text : text.slice(0, at), addressing)
  if (domain === undefined || localPart === undefined) return undefined
  const address = `${localPart}@${domain}`
  return Buffer.byteLength(address) > addressBytes ? undefined : { address, localPart, domain }
}

/** Lower-case A-labels without a dot at the end; undefined for what is no domain name (address literals among them). */
export function normalizeDomain(text: string): string | undefined {
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  // WHATWG's function takes percent signs, slashes and numbers for URL syntax, so nothing of these may reach it.
  if (name.length > domainBytes || /[^a-z0-9_.\-\u{80}-\u{10ffff}]/iu.test(name)) return undefined
  const ascii = /[\u{80}-\u{10ffff}]/u.test(name) ? domainToASCII(name) : name.toLowerCase()
  if (ascii.length > domainBytes) return undefined
  const labels = ascii.split('.')
  if (!labels.every(isLabel)) return undefined
  return /^[0-9]+$/.test(labels[labels.length - 1] as string) ? undefined : ascii
}

function isLabel(label: string): boolean {
  return /^[a-z0-9_-]{1,63}$/.test(label) && !label.startsWith('-') && !label.endsWith('-')
}

/** NFC and, unless configured otherwise, lower case. Quotes that are not needed go; undefined where they are. */
export function normalizeLocalPart(text: string, addressing: Addressing): string | undefined {
  const isQuoted = text.length >= 2 && text.startsWith('"') && text.endsWith('"')
  const bare = (isQuoted ? text.slice(1, -1) : text).normalize('NFC')
  const localPart = addressing.isCaseSensitive ? bare : bare.toLowerCase().normalize('NFC')
  if (localPart === '' || Buffer.byteLength(localPart) > localPartBytes) return undefined
  // Controls, format characters, lone surrogates, private use, all spaces, and RFC 5322's specials but the dot.
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Z}()<>[\]:;@\\,"]/u.test(localPart)) return undefined
  return localPart
}

/** The local part before the separator and what is behind it; undefined when there is none. RFC 5233 §2. */
export function splitDetail(
  localPart: string,
  separator: string,
): { readonly user: string; readonly detail: string } | undefined {
  if (separator === '') return undefined
  // A separator in front separates nothing: the user would have no name.
  const at = localPart.indexOf(separator, 1)
  if (at === -1) return undefined
  return { user: localPart.slice(0, at), detail: localPart.slice(at + separator.length) }
}
