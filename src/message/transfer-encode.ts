// Content-Transfer-Encoding applied. RFC 2045 §6.7 (quoted-printable), §6.8 (base64), §2.7 to §2.9 (7bit, 8bit, binary).

const LINE_MAX = 76
const LF = 10
const CR = 13

/** Base64 in lines of 76 characters, with CRLF after each but the last. */
export function encodeBase64(bytes: Buffer): string {
  const text = bytes.toString('base64')
  const lines: string[] = []
  for (let at = 0; at < text.length; at += LINE_MAX) lines.push(text.slice(at, at + LINE_MAX))
  return lines.join('\r\n')
}

/** Quoted-printable of text whose line ends are CRLF. */
export function encodeQuotedPrintable(bytes: Buffer): string {
  const out: string[] = []
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === CR && bytes[at + 1] === LF) {
      out.push('\r\n')
      length = 0
      at++
      continue
    }
    const isBlank = byte === 32 || byte === 9
    // RFC 2045 §6.7 rule 3: no white space at the end of a line.
    const isLast = at + 1 === bytes.length || (bytes[at + 1] === CR && bytes[at + 2] === LF)
    const isLiteral = (byte > 32 && byte < 127 && byte !== 61) || (isBlank && !isLast)
    const piece = isLiteral
      ? String.fromCharCode(byte)
      : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
    if (length + piece.length > LINE_MAX - 1) {
      out.push('=\r\n')
      length = 0
    }
    out.push(piece)
    length += piece.length
  }
  return out.join('')
}

/** What a body is, as RFC 2045 §2 names it: lines of at most 998 octets without NUL, of 7 or 8 bits, or neither. */
export function bodyKind(bytes: Buffer): '7bit' | '8bit' | 'binary' {
  let is8bit = false
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === CR && bytes[at + 1] === LF) {
      at++
      length = 0
      continue
    }
    if (byte === 0 || byte === CR || byte === LF || ++length > 998) return 'binary'
    if (byte > 127) is8bit = true
  }
  return is8bit ? '8bit' : '7bit'
}
