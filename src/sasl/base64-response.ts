// A client's line within an AUTH exchange. RFC 4422 §3; RFC 4648 §4; RFC 4954 §4; RFC 9051 §6.2.2.
import { limits } from '../base/limits.ts'

export type SaslResponse =
  | { readonly kind: 'response'; readonly data: Buffer }
  /** `*`: the client gives up. */
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'malformed' }

const malformed: SaslResponse = { kind: 'malformed' }
const alphabet = /^[A-Za-z0-9+/]*={0,2}$/

/** Reads the answer to a challenge, without its CRLF. */
export function readResponse(line: Buffer | string): SaslResponse {
  const text = typeof line === 'string' ? line : line.toString('latin1')
  if (text === '*') return { kind: 'cancelled' }
  const data = decodeBase64(text)
  return data && data.length <= limits.sasl.responseBytes ? { kind: 'response', data } : malformed
}

/** Reads the initial response on the command line: `=` is the empty one (RFC 4954 §4, RFC 4959 §3). */
export function readInitialResponse(text: string): SaslResponse {
  if (text === '=') return { kind: 'response', data: Buffer.alloc(0) }
  // An empty one is written `=`; nothing at all is a syntax error, and `*` is no initial response.
  return text === '' || text === '*' ? malformed : readResponse(text)
}

/** Strict: the alphabet, whole groups, padding, and no bits left over in the last group. Undefined when it is not so. */
export function decodeBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !alphabet.test(text)) return undefined
  const data = Buffer.from(text, 'base64')
  // RFC 4648 §3.5: one encoding for each value.
  return data.toString('base64') === text ? data : undefined
}
