// Encoded words in header fields. RFC 2047; RFC 2231 §5 (language).
//
// Decoding takes Latin-1 text as it stands in the message and never throws. Lenient where mail is: a word inside
// other text, spaces in a Q word, bytes of one character split over two words, raw 8-bit text around words.
import { decodeCharset, decodeRaw } from './charset.ts'

interface Word {
  readonly charset: string
  /** Latin-1. */
  readonly bytes: string
  readonly end: number
}

/** Text with its encoded words decoded. Folding must be gone (`unfold`). */
export function decodeWords(text: string): string {
  let next = text.indexOf('=?')
  if (next === -1) return decodeRaw(text)
  const out: string[] = []
  // Bytes of adjacent words in one charset, decoded together: a character may be split between them.
  let pending: string[] = []
  let charset = ''
  let plainStart = 0
  while (next !== -1) {
    const word = readWord(text, next)
    if (word === undefined) {
      if (text.indexOf('?=', next + 2) === -1) break
      next = text.indexOf('=?', next + 2)
      continue
    }
    // RFC 2047 §6.2: white space between two encoded words is not shown.
    const isAdjacent = pending.length > 0 && isBlank(text, plainStart, next)
    if (pending.length > 0 && !(isAdjacent && word.charset === charset)) {
      out.push(decodePieces(pending, charset))
      pending = []
    }
    if (!isAdjacent) out.push(decodeRaw(text.slice(plainStart, next)))
    pending.push(word.bytes)
    ;({ charset } = word)
    plainStart = word.end
    next = text.indexOf('=?', word.end)
  }
  if (pending.length > 0) out.push(decodePieces(pending, charset))
  out.push(decodeRaw(text.slice(plainStart)))
  return out.join('')
}

function decodePieces(pieces: readonly string[], charset: string): string {
  return decodeCharset(Buffer.from(pieces.join(''), 'latin1'), charset)
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const char = text.charCodeAt(at)
    if (char !== 32 && char !== 9 && char !== 10 && char !== 13) return false
  }
  return true
}

const CHARSET_MAX = 60

/** "=?" charset ["*" language] "?" encoding "?" encoded-text "?=" at `start`. */
function readWord(text: string, start: number): Word | undefined {
  const charsetEnd = findMark(text, start + 2)
  if (charsetEnd === -1 || text.charCodeAt(charsetEnd + 2) !== 63) return undefined
  const encoding = text.charCodeAt(charsetEnd + 1) | 32
  if (encoding !== 98 && encoding !== 113) return undefined
  const textStart = charsetEnd + 3
  const textEnd = text.indexOf('?=', textStart)
  if (textEnd === -1) return undefined
  const star = text.indexOf('*', start)
  const name = text.slice(start + 2, star === -1 || star > charsetEnd ? charsetEnd : star)
  const encoded = text.slice(textStart, textEnd)
  return {
    charset: name.toLowerCase(),
    bytes: encoding === 98 ? Buffer.from(encoded, 'base64').toString('latin1') : decodeQ(encoded),
    end: textEnd + 2,
  }
}

/** The question mark that ends a charset's name, which is short and has no spaces. */
function findMark(text: string, start: number): number {
  const end = Math.min(text.length, start + CHARSET_MAX)
  for (let at = start; at < end; at++) {
    const char = text.charCodeAt(at)
    if (char === 63) return at === start ? -1 : at
    if (char <= 32 || char === 61) return -1
  }
  return -1
}

function decodeQ(text: string): string {
  if (!text.includes('=') && !text.includes('_')) return text
  const out = Buffer.alloc(text.length)
  let length = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 95) out[length++] = 32
    else if (char === 61) {
      const value = hexPair(text, at + 1)
      if (value === -1) out[length++] = char
      else {
        out[length++] = value
        at += 2
      }
    } else out[length++] = char
  }
  return out.toString('latin1', 0, length)
}

function hexPair(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at))
  const low = hexDigit(text.charCodeAt(at + 1))
  return high === -1 || low === -1 ? -1 : high * 16 + low
}

function hexDigit(char: number): number {
  if (char >= 48 && char <= 57) return char - 48
  const letter = char | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** RFC 2047 §2: 75 characters for a whole word; what is left for the text between "=?utf-8?q?" and "?=". */
const ENCODED_MAX = 75 - 12

/**
 * Text for an unstructured field or a display name: plain where it may be, else encoded words in UTF-8, of Q or B,
 * whichever is shorter. Spaces stand between words only, so that the field can be folded at each of them.
 */
export function encodeWords(text: string): string {
  if (isPlain(text)) return text
  const words = text.split(' ')
  const first = words.findIndex(needsEncoding)
  const last = words.findLastIndex(needsEncoding)
  // Space at the ends or in a row, and controls, are kept only inside encoded words.
  if (first === -1 || words.includes('')) return encodeAll(text)
  const out = [
    ...words.slice(0, first),
    encodeAll(words.slice(first, last + 1).join(' ')),
    ...words.slice(last + 1),
  ]
  return out.join(' ')
}

/** No word is so long that the line could not be folded (RFC 5322 §2.1.1). */
const WORD_MAX = 900

function isPlain(text: string): boolean {
  const words = text.split(' ')
  return words.every(word => word !== '' && !needsEncoding(word)) || text === ''
}

function needsEncoding(word: string): boolean {
  if (word.length > WORD_MAX || word.includes('=?')) return true
  for (let at = 0; at < word.length; at++) {
    const char = word.charCodeAt(at)
    if (char < 32 || char > 126) return true
  }
  return false
}

/** All of a text as encoded words in UTF-8, one space between them. */
export function encodeAll(text: string): string {
  const bytes = Buffer.from(text, 'utf8')
  let safe = 0
  for (const byte of bytes) if (isSafe(byte) || byte === 32) safe++
  const isQ = safe + (bytes.length - safe) * 3 <= (bytes.length * 4) / 3
  const words: string[] = []
  let piece: string[] = []
  let length = 0
  for (const char of text) {
    const encoded = isQ ? encodeQ(char) : char
    const size = isQ ? encoded.length : (Buffer.byteLength(char) * 4) / 3
    // Base64 comes in groups of four, so leave room for the last.
    if (length + size > ENCODED_MAX - (isQ ? 0 : 4)) {
      words.push(wrapWord(piece.join(''), isQ))
      piece = []
      length = 0
    }
    piece.push(encoded)
    length += size
  }
  if (piece.length > 0) words.push(wrapWord(piece.join(''), isQ))
  return words.join(' ')
}

function wrapWord(text: string, isQ: boolean): string {
  return isQ ? `=?utf-8?q?${text}?=` : `=?utf-8?b?${Buffer.from(text, 'utf8').toString('base64')}?=`
}

/** RFC 2047 §5 (3): what may stand for itself also in a display name. */
function isSafe(byte: number): boolean {
  const lower = byte | 32
  return (
    (lower >= 97 && lower <= 122) || (byte >= 48 && byte <= 57) || '!*+-/'.includes(String.fromCharCode(byte))
  )
}

function encodeQ(char: string): string {
  if (char === ' ') return '_'
  const out: string[] = []
  for (const byte of Buffer.from(char, 'utf8')) {
    out.push(isSafe(byte) && byte < 128 ? char : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`)
  }
  return out.join('')
}
