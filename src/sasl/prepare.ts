// SASLprep of user names and passwords, and the strict UTF-8 before it. RFC 4013; RFC 3454; RFC 3629.
import { saslprep } from '@mongodb-js/saslprep'
import { limits } from '../base/limits.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text, or undefined when the bytes are no UTF-8 or hold NUL. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** A user name or authzid as it is looked up; undefined when it is empty, too long, or not allowed. */
export function prepareName(name: string): string | undefined {
  return prepare(name, limits.sasl.nameBytes, true)
}

/** A password that someone presents; undefined when it is empty, too long, or not allowed. */
export function preparePassword(password: string): string | undefined {
  return prepare(password, limits.password.bytes, true)
}

/** A password that is to be stored: unassigned code points are refused as well (RFC 3454 §7). */
export function prepareNewPassword(password: string): string | undefined {
  return prepare(password, limits.password.bytes, false)
}

const printableAscii = /^[\x20-\x7e]*$/

function prepare(text: string, maxBytes: number, allowUnassigned: boolean): string | undefined {
  if (text === '' || Buffer.byteLength(text) > maxBytes) return undefined
  if (printableAscii.test(text)) return text
  if (!text.isWellFormed()) return undefined
  try {
    const prepared = saslprep(text, { allowUnassigned })
    return prepared === '' ? undefined : prepared
  } catch {
    // RFC 4013 §2.3, §2.4: prohibited characters, mixed directions. The library says so by throwing.
    return undefined
  }
}
