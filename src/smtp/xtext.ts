// xtext: octets inside an ESMTP value. RFC 3461 §4.
import { SmtpSyntaxError } from './mailbox.ts'

/** The text that xtext stands for (its octets as UTF-8). Throws SmtpSyntaxError. */
export function decodeXtext(text: string): string {
  if (!text.includes('+')) return text
  const pieces: Buffer[] = []
  let from = 0
  for (let plus = text.indexOf('+'); plus !== -1; plus = text.indexOf('+', from)) {
    const hex = text.slice(plus + 1, plus + 3)
    // Upper case by the grammar; lower case is met as well.
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) throw new SmtpSyntaxError('a value is not xtext')
    pieces.push(Buffer.from(text.slice(from, plus)), Buffer.from(hex, 'hex'))
    from = plus + 3
  }
  pieces.push(Buffer.from(text.slice(from)))
  return Buffer.concat(pieces).toString()
}

/** `text` (its UTF-8 octets) as xtext. */
export function encodeXtext(text: string): string {
  let encoded = ''
  for (const octet of Buffer.from(text)) {
    const isPlain = octet >= 0x21 && octet <= 0x7e && octet !== 0x2b && octet !== 0x3d
    encoded += isPlain ? String.fromCharCode(octet) : `+${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}
