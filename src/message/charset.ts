// Charsets of mail, to strings. RFC 2046 §4.1.2; the WHATWG Encoding Standard's names; RFC 2152 (utf-7);
// RFC 1843 (hz); RFC 1557 (iso-2022-kr); RFC 1922 (iso-2022-cn).
//
// Nothing here throws: a charset that nobody knows is read as UTF-8 where that is valid, else as windows-1252.
import iconv from 'iconv-lite'
import { isAscii } from './case-map.ts'

const UTF8_NAMES: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'unicode-1-1-utf-8', 'utf-8n', 'cp65001'])
/** Senders say these when they do not know. */
const VAGUE_NAMES: ReadonlySet<string> = new Set([
  '',
  'us-ascii',
  'ascii',
  'ansi_x3.4-1968',
  'iso646-us',
  'default',
  'none',
  'unknown',
  'unknown-8bit',
  'x-unknown',
  'x-user-defined',
  'binary',
  '8bit',
  '7bit',
])

/** Names that mail uses and TextDecoder does not know. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['latin-1', 'windows-1252'],
  ['iso-8859-1-windows-3.1-latin-1', 'windows-1252'],
  ['8859-1', 'windows-1252'],
  ['iso8859_1', 'windows-1252'],
  ['ansi', 'windows-1252'],
  ['cp932', 'shift_jis'],
  ['ms932', 'shift_jis'],
  ['x-ms-cp932', 'shift_jis'],
  ['shift-jisx0213', 'shift_jis'],
  ['shift_jisx0213', 'shift_jis'],
  ['iso-2022-jp-1', 'iso-2022-jp'],
  ['iso-2022-jp-2', 'iso-2022-jp'],
  ['iso-2022-jp-3', 'iso-2022-jp'],
  ['iso-2022-jp-2004', 'iso-2022-jp'],
  ['iso-2022-jp-ms', 'iso-2022-jp'],
  ['cp50220', 'iso-2022-jp'],
  ['cp50221', 'iso-2022-jp'],
  ['cp50222', 'iso-2022-jp'],
  ['cp51932', 'euc-jp'],
  ['eucjp-ms', 'euc-jp'],
  ['eucjp', 'euc-jp'],
  ['cp936', 'gb18030'],
  ['ms936', 'gb18030'],
  ['gb2312', 'gb18030'],
  ['gbk', 'gb18030'],
  ['x-gbk', 'gb18030'],
  ['euc-cn', 'gb18030'],
  ['x-euc-cn', 'gb18030'],
  ['gb_2312-80', 'gb18030'],
  ['cp949', 'euc-kr'],
  ['ms949', 'euc-kr'],
  ['uhc', 'euc-kr'],
  ['x-windows-949', 'euc-kr'],
  ['ks_c_5601', 'euc-kr'],
  ['ks_c_5861-1992', 'euc-kr'],
  ['cp950', 'big5'],
  ['x-windows-950', 'big5'],
  ['big-5', 'big5'],
  ['x-big5', 'big5'],
  ['tis620', 'windows-874'],
  ['cp874', 'windows-874'],
  ['visual', 'iso-8859-8'],
  ['mac', 'macintosh'],
  ['macroman', 'macintosh'],
  ['x-mac-ukrainian', 'x-mac-cyrillic'],
  ['koi8_r', 'koi8-r'],
  ['koi8u', 'koi8-u'],
  ['ucs-2', 'utf-16'],
  ['iso-10646-ucs-2', 'utf-16'],
  ['utf16', 'utf-16'],
  ['unicode', 'utf-16le'],
])

/** The string that `bytes` are in a charset, as well as can be known. Never throws. */
export function decodeCharset(bytes: Buffer, charset: string): string {
  const name = normalizeCharset(charset)
  if (UTF8_NAMES.has(name)) return bytes.toString('utf8')
  if (VAGUE_NAMES.has(name)) return decodeUnknown(bytes)
  switch (name) {
    case 'hz':
    case 'hz-gb-2312':
      return decodeHz(bytes)
    case 'iso-2022-kr':
    case 'csiso2022kr':
      return decodeShifted(bytes, 'euc-kr')
    case 'iso-2022-cn':
    case 'iso-2022-cn-ext':
    case 'csiso2022cn':
      return decodeShifted(bytes, 'gb18030')
    case 'utf-16':
    case 'utf-16be':
    case 'utf-16le':
      return decodeUtf16(bytes, name)
  }
  const label = ALIASES.get(name) ?? name
  if (label === 'utf-16' || label === 'utf-16le') return decodeUtf16(bytes, label)
  const decoder = findDecoder(label)
  if (decoder !== undefined)
    return decoder.decode(label === 'iso-2022-jp' ? withoutIdleEscapes(bytes) : bytes)
  return isIconvCharset(label) ? iconv.decode(bytes, label) : decodeUnknown(bytes)
}

/** Whether text in this charset can be read as what it says, not guessed. */
export function isCharsetKnown(charset: string): boolean {
  const name = normalizeCharset(charset)
  if (UTF8_NAMES.has(name) || ALIASES.has(name) || name === 'us-ascii' || name === 'ascii') return true
  if (/^(?:hz|hz-gb-2312|(?:csiso2022|iso-2022-)(?:kr|cn)|iso-2022-cn-ext)$/.test(name)) return true
  if (VAGUE_NAMES.has(name)) return false
  return findDecoder(name) !== undefined || isIconvCharset(name)
}

const NAME_MAX = 60

function normalizeCharset(charset: string): string {
  const name = charset.slice(0, NAME_MAX).trim().toLowerCase()
  const first = name.charCodeAt(0)
  return first === 34 || first === 39 ? name.replaceAll('"', '').replaceAll("'", '').trim() : name
}

/** iconv-lite also takes these, which are no charsets. */
const NO_CHARSETS: ReadonlySet<string> = new Set(['base64', 'hex', 'binary', 'internal'])

function isIconvCharset(name: string): boolean {
  return !NO_CHARSETS.has(name.replaceAll(/[^a-z0-9]/g, '')) && iconv.encodingExists(name)
}

/** Labels that TextDecoder gives to its empty `replacement` decoder, so that browsers do not run them. */
const REPLACED: ReadonlySet<string> = new Set(['replacement', 'x-user-defined'])

function findDecoder(label: string): { decode: (bytes: Buffer) => string } | undefined {
  if (REPLACED.has(label)) return undefined
  // cp1252 and its like, without the dash.
  const windows = /^(?:cp|cp-|windows|win-|win|ms-)(125\d|874)$/.exec(label)
  try {
    return new TextDecoder(windows === null ? label : `windows-${windows[1]}`)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function decodeUtf16(bytes: Buffer, name: string): string {
  const isMarkedBig = bytes[0] === 0xfe && bytes[1] === 0xff
  const isMarkedLittle = bytes[0] === 0xff && bytes[1] === 0xfe
  // RFC 2781 §4.3: without a mark, utf-16 is big-endian.
  const isBig = isMarkedBig || (!isMarkedLittle && name !== 'utf-16le')
  return new TextDecoder(isBig ? 'utf-16be' : 'utf-16le').decode(bytes)
}

/** Text in an unknown charset: UTF-8 if it is valid UTF-8, else windows-1252, which always is something. */
export function decodeUnknown(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return text.includes('\ufffd') && !isUtf8(bytes) ? new TextDecoder('windows-1252').decode(bytes) : text
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

/** Latin-1 text that may hold raw 8-bit bytes (RFC 6532 says UTF-8), as a string. */
export function decodeRaw(text: string): string {
  return isAscii(text) ? text : decodeUnknown(Buffer.from(text, 'latin1'))
}

/**
 * ISO-2022-JP without escape sequences that another follows at once. Texts that were joined (two encoded words, RFC 2047 §6.2) have such,
 * and TextDecoder takes them for an attack.
 */
function withoutIdleEscapes(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  const plain = text.replaceAll(/\x1b(?:\([BIJ]|\$[@B])(?=\x1b(?:\([BIJ]|\$[@B]))/g, '')
  return plain.length === text.length ? bytes : Buffer.from(plain, 'latin1')
}

/** RFC 1843: `~{` and `~}` go into and out of GB 2312 without its eighth bits; `~~` is a tilde, `~` at a line's end joins. */
function decodeHz(bytes: Buffer): string {
  const out = Buffer.alloc(bytes.length)
  let length = 0
  let isChinese = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    const next = bytes[at + 1] ?? 0
    if (byte === 0x7e && (next === 0x7b || next === 0x7d)) {
      isChinese = next === 0x7b
      at++
    } else if (byte === 0x7e && !isChinese && (next === 0x7e || next === 0x0a)) {
      if (next === 0x7e) out[length++] = 0x7e
      at++
    } else if (byte === 0x0a) {
      isChinese = false
      out[length++] = byte
    } else out[length++] = isChinese && byte > 0x20 ? byte | 0x80 : byte
  }
  return new TextDecoder('gb18030').decode(out.subarray(0, length))
}

/** RFC 1557, RFC 1922: SO and SI shift into and out of the double-byte set; escape sequences name it. */
function decodeShifted(bytes: Buffer, label: 'euc-kr' | 'gb18030'): string {
  const out = Buffer.alloc(bytes.length)
  let length = 0
  let isShifted = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === 0x0e) isShifted = true
    else if (byte === 0x0f) isShifted = false
    else if (byte === 0x1b && bytes[at + 1] === 0x24) at += 3
    else {
      if (byte === 0x0a) isShifted = false
      out[length++] = isShifted && byte > 0x20 ? byte | 0x80 : byte
    }
  }
  return new TextDecoder(label).decode(out.subarray(0, length))
}
