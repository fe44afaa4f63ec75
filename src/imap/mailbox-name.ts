// Names of mailboxes on the wire: modified UTF-7 for IMAP4rev1, UTF-8 once the client has asked for it. RFC 3501 §5.1.3; RFC 9051 §5.1.
import { no } from './error.ts'

const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,'

/** The store's name for what a client wrote. Throws NO for a broken encoding. */
export function decodeMailboxName(wire: string, isUtf8: boolean): string {
  // A client that has switched to UTF-8 means '&' as it stands.
  if (isUtf8 || !wire.includes('&')) return wire.normalize('NFC')
  const name = decodeModifiedUtf7(wire)
  if (name === undefined) throw no('CANNOT', 'The name is not valid modified UTF-7')
  return name.normalize('NFC')
}

/** What a client is shown for the store's name. */
export function encodeMailboxName(name: string, isUtf8: boolean): string {
  return isUtf8 ? name : encodeModifiedUtf7(name)
}

/** RFC 3501 §5.1.3. */
export function encodeModifiedUtf7(name: string): string {
  let wire = ''
  let at = 0
  while (at < name.length) {
    const code = name.charCodeAt(at)
    if (code >= 0x20 && code <= 0x7e) {
      wire += code === 0x26 ? '&-' : name[at]
      at++
      continue
    }
    const start = at
    while (at < name.length && !isPrintable(name.charCodeAt(at))) at++
    const units = Buffer.from(name.slice(start, at), 'utf16le').swap16()
    wire += `&${units.toString('base64').replaceAll('/', ',').replace(/=+$/, '')}-`
  }
  return wire
}

/** The name, or undefined where the encoding is broken (RFC 3501 §5.1.3 allows one form for each name only in principle; we take what is unambiguous). */
export function decodeModifiedUtf7(wire: string): string | undefined {
  let name = ''
  let at = 0
  while (at < wire.length) {
    const start = wire.indexOf('&', at)
    if (start < 0) return name + wire.slice(at)
    name += wire.slice(at, start)
    const end = wire.indexOf('-', start)
    if (end < 0) return undefined
    const shifted = wire.slice(start + 1, end)
    if (shifted === '') name += '&'
    else {
      const text = decodeShifted(shifted)
      if (text === undefined) return undefined
      name += text
    }
    at = end + 1
  }
  return name
}

function decodeShifted(shifted: string): string | undefined {
  for (const char of shifted) if (!base64.includes(char)) return undefined
  const bytes = Buffer.from(shifted.replaceAll(',', '/'), 'base64')
  if (bytes.length % 2 !== 0 || bytes.length === 0) return undefined
  const text = Buffer.from(bytes).swap16().toString('utf16le')
  // A printable character must stand for itself, or '../' and NUL could hide from those who look at names.
  for (let at = 0; at < text.length; at++) if (isPrintable(text.charCodeAt(at))) return undefined
  return text.isWellFormed() ? text : undefined
}

function isPrintable(code: number): boolean {
  return code >= 0x20 && code <= 0x7e
}
