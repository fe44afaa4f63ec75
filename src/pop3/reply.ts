// The one encoder of POP3's status lines. RFC 1939 §3; RFC 2449 §3.
import { assert } from '../base/assert.ts'
import type { ResponseCode } from './error.ts'

/** Octets of a status line with its CRLF, RFC 2449 §4. */
const maxLineBytes = 512

/** `+OK text` with its CRLF. */
export function okLine(text: string): string {
  return statusLine(text === '' ? '+OK' : `+OK ${text}`)
}

/** `-ERR [code] text` with its CRLF. */
export function errLine(code: ResponseCode | undefined, text: string): string {
  return statusLine(code === undefined ? `-ERR ${text}` : `-ERR [${code}] ${text}`)
}

function statusLine(line: string): string {
  assert(!/[\r\n\0]/.test(line), 'a status line is one line')
  assert(Buffer.byteLength(line) + 2 <= maxLineBytes, 'a status line has at most 512 octets')
  return `${line}\r\n`
}
