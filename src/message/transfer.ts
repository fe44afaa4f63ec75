// Content-Transfer-Encoding undone. RFC 2045 §6.7 (quoted-printable), §6.8 (base64); uuencode as mail of old has it.
//
// Lenient and total: bytes that do not belong are skipped or stand for themselves, nothing throws.

/** Whether BINARY can undo an encoding (lower case): RFC 3516 §4.3 answers UNKNOWN-CTE to others. */
export function isEncodingKnown(encoding: string): boolean {
  return (
    isIdentity(encoding) || encoding === 'base64' || encoding === 'quoted-printable' || isUuencode(encoding)
  )
}

function isIdentity(encoding: string): boolean {
  return encoding === '7bit' || encoding === '8bit' || encoding === 'binary' || encoding === ''
}

function isUuencode(encoding: string): boolean {
  return encoding === 'x-uuencode' || encoding === 'uuencode' || encoding === 'x-uue' || encoding === 'uue'
}

/** The bytes of a part's body with its encoding (lower case) undone; the same Buffer for encodings that change nothing. */
export function decodeTransfer(bytes: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return decodeBase64(bytes)
  if (encoding === 'quoted-printable') return decodeQuotedPrintable(bytes)
  if (isUuencode(encoding)) return decodeUuencode(bytes)
  return bytes
}

const EQUALS = 61
const LF = 10
const CR = 13

/** Base64; padding in the middle ends one run and the next begins, as joined pieces have it. */
export function decodeBase64(bytes: Buffer): Buffer {
  const padding = bytes.indexOf(EQUALS)
  if (padding === -1 || isTail(bytes, padding)) return Buffer.from(bytes.toString('latin1'), 'base64')
  const out = Buffer.alloc(Math.ceil((bytes.length * 3) / 4) + 3)
  let length = 0
  let bits = 0
  let bitCount = 0
  for (const byte of bytes) {
    const value = base64Value(byte)
    if (value === -1) {
      if (byte === EQUALS) bitCount = 0
      continue
    }
    bits = ((bits << 6) | value) & 0xffffff
    bitCount += 6
    if (bitCount >= 8) {
      bitCount -= 8
      out[length++] = (bits >> bitCount) & 0xff
    }
  }
  return out.subarray(0, length)
}

/** Only padding and white space from `at`. */
function isTail(bytes: Buffer, at: number): boolean {
  for (; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte !== EQUALS && byte !== LF && byte !== CR && byte !== 32 && byte !== 9) return false
  }
  return true
}

function base64Value(byte: number): number {
  if (byte >= 65 && byte <= 90) return byte - 65
  if (byte >= 97 && byte <= 122) return byte - 71
  if (byte >= 48 && byte <= 57) return byte + 4
  if (byte === 43 || byte === 45) return 62
  if (byte === 47 || byte === 95) return 63
  return -1
}

/** Quoted-printable: white space at line ends goes (RFC 2045 §6.7 rule 3), an `=` that means nothing stays. */
export function decodeQuotedPrintable(bytes: Buffer): Buffer {
  const out = Buffer.alloc(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === EQUALS) {
      const high = hexValue(bytes[at + 1])
      const low = hexValue(bytes[at + 2])
      if (high !== -1 && low !== -1) {
        out[length++] = high * 16 + low
        at += 2
        continue
      }
      const next = lineEndAfter(bytes, at + 1)
      if (next !== -1) at = next - 1
      else out[length++] = byte
    } else if (byte === 32 || byte === 9) {
      let end = at + 1
      while (bytes[end] === 32 || bytes[end] === 9) end++
      const follower = bytes[end]
      const isAtLineEnd =
        follower === LF || (follower === CR && bytes[end + 1] === LF) || follower === undefined
      if (!isAtLineEnd) length += bytes.copy(out, length, at, end)
      at = end - 1
    } else out[length++] = byte
  }
  return out.subarray(0, length)
}

/** After the line end that stands at `at`, spaces before it or not; the end counts as one; else -1. */
function lineEndAfter(bytes: Buffer, at: number): number {
  while (bytes[at] === 32 || bytes[at] === 9) at++
  if (bytes[at] === CR && bytes[at + 1] === LF) return at + 2
  if (bytes[at] === LF) return at + 1
  return at >= bytes.length ? at : -1
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** The lines between `begin` and `end`; the bytes as they are when there is no `begin`. */
export function decodeUuencode(bytes: Buffer): Buffer {
  let at = bytes.subarray(0, 6).toString('latin1') === 'begin ' ? 0 : bytes.indexOf('\nbegin ') + 1
  if (at === 0 && bytes.subarray(0, 6).toString('latin1') !== 'begin ') return bytes
  const out = Buffer.alloc(bytes.length)
  let length = 0
  for (at = nextLine(bytes, at); at < bytes.length; at = nextLine(bytes, at)) {
    const first = bytes[at] ?? 0
    let count = (first - 32) & 63
    // `end`, or a line of no bytes before it.
    if (count === 0 || (first === 101 && bytes[at + 1] === 110 && bytes[at + 2] === 100)) break
    const lineEnd = nextLine(bytes, at)
    for (let group = at + 1; count > 0 && group < lineEnd; group += 4) {
      const bits = [0, 1, 2, 3].map(index => ((bytes[group + index] ?? 32) - 32) & 63)
      const [a = 0, b = 0, c = 0, d = 0] = bits
      if (count-- > 0) out[length++] = ((a << 2) | (b >> 4)) & 0xff
      if (count-- > 0) out[length++] = ((b << 4) | (c >> 2)) & 0xff
      if (count-- > 0) out[length++] = ((c << 6) | d) & 0xff
    }
  }
  return out.subarray(0, length)
}

function nextLine(bytes: Buffer, at: number): number {
  const newline = bytes.indexOf(LF, at)
  return newline === -1 ? bytes.length : newline + 1
}
