// Text into the charsets of mail. RFC 2046 §4.1.2.
import iconv from 'iconv-lite'

/**
 * The text in a charset. What that lacks becomes `replacement`; undefined where there is none, where it can't be written either, or where
 * nobody knows the charset.
 */
export function encodeCharset(
  text: string,
  charset: string,
  replacement: string | undefined,
): Buffer | undefined {
  const name = charset.toLowerCase()
  if (name === 'utf-8' || name === 'utf8') return Buffer.from(text.toWellFormed())
  const known = name === 'us-ascii' ? 'ascii' : name
  if (!iconv.encodingExists(known)) return undefined
  const lacks = (char: string) => iconv.decode(iconv.encode(char, known), known) !== char
  const missing = new Set<string>()
  for (const char of new Set(text)) if (lacks(char)) missing.add(char)
  if (missing.size === 0) return iconv.encode(text, known)
  if (replacement === undefined || [...new Set(replacement)].some(lacks)) return undefined
  const pieces: string[] = []
  for (const char of text) pieces.push(missing.has(char) ? replacement : char)
  return iconv.encode(pieces.join(''), known)
}
