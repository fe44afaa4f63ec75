// Line ends as the standards want them: CRLF only. RFC 5322 §2.3; RFC 5321 §2.3.8.

const LF = 10
const CR = 13

/** `bytes` with each lone LF and lone CR made CRLF; the same Buffer when there is none. */
export function toCrlf(bytes: Buffer): Buffer {
  const count = eachLone(bytes, () => undefined)
  if (count === 0) return bytes
  const out = Buffer.allocUnsafeSlow(bytes.length + count)
  let length = 0
  let start = 0
  eachLone(bytes, at => {
    length += bytes.copy(out, length, start, at)
    out[length++] = CR
    out[length++] = LF
    start = at + 1
  })
  bytes.copy(out, length, start)
  return out
}

/** Whether every line ends in CRLF and CR and LF stand nowhere else. */
export function hasCrlfOnly(bytes: Buffer): boolean {
  return eachLone(bytes, () => undefined) === 0
}

/** Calls `take` with the offset of each LF without a CR before it and each CR without an LF after it; gives their number. */
function eachLone(bytes: Buffer, take: (at: number) => void): number {
  let count = 0
  let lf = bytes.indexOf(LF)
  let cr = bytes.indexOf(CR)
  while (lf !== -1 || cr !== -1) {
    if (lf === cr + 1 && cr !== -1) {
      lf = bytes.indexOf(LF, lf + 1)
      cr = bytes.indexOf(CR, cr + 1)
      continue
    }
    count++
    if (cr === -1 || (lf !== -1 && lf < cr)) {
      take(lf)
      lf = bytes.indexOf(LF, lf + 1)
    } else {
      take(cr)
      cr = bytes.indexOf(CR, cr + 1)
    }
  }
  return count
}
