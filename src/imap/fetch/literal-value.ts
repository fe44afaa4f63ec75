// Message bytes as values of FETCH items.
import type { Encoder } from '../encoder.ts'

/** A literal, `""` for nothing. NUL, which no literal may hold, goes out as 0x80 (RFC 9051 §9, CHAR8), as Dovecot has it. */
export function writeValue(out: Encoder, bytes: Buffer): void {
  if (bytes.length === 0) out.ascii('""')
  else out.literal(withoutNul(bytes))
}

/** The bytes with 0x80 in place of NUL; a copy where there is one. */
export function withoutNul(bytes: Buffer): Buffer {
  if (!bytes.includes(0)) return bytes
  const copy = Buffer.from(bytes)
  replaceNul(copy)
  return copy
}

/** The same in place. */
export function replaceNul(bytes: Buffer): void {
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1)) bytes[at] = 0x80
}
