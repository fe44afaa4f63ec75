// The strings of a SEARCH. RFC 9051 §6.4.4.
import { decodeCharset } from '../../message/charset.ts'
import { bad } from '../error.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })
/** Where clients say less than they mean; text that is no UTF-8 is refused. */
const likeUtf8: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii'])

/** RFC 9051 §6.4.4: without CHARSET it is UTF-8. */
export function isLikeUtf8(charset: string | undefined): boolean {
  return charset === undefined || likeUtf8.has(charset.toLowerCase())
}

/** A string in that charset, '' where it is not known. Throws BAD. */
export function decodeString(bytes: Buffer, charset: string | undefined, isKnown: boolean): string {
  if (!isKnown) return ''
  if (charset !== undefined && !isLikeUtf8(charset)) return decodeCharset(bytes, charset)
  try {
    return utf8.decode(bytes)
  } catch {
    throw bad('a string is not valid UTF-8')
  }
}
