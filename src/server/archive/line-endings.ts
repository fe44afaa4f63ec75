// Line endings: files of Unix programs end lines with LF, messages with CRLF (RFC 5322 §2.1).

const cr = 13
const lf = 10

/** `bytes` with CRLF where a bare LF was; itself when there was none. */
export function lfToCrlf(bytes: Buffer): Buffer {
  let bare = 0
  for (let at = bytes.indexOf(lf); at !== -1; at = bytes.indexOf(lf, at + 1)) {
    if (at === 0 || bytes[at - 1] !== cr) bare++
  }
  if (bare === 0) return bytes
  const result = Buffer.alloc(bytes.length + bare)
  let from = 0
  let to = 0
  for (let at = bytes.indexOf(lf); at !== -1; at = bytes.indexOf(lf, at + 1)) {
    if (at > 0 && bytes[at - 1] === cr) continue
    to += bytes.copy(result, to, from, at)
    result[to++] = cr
    result[to++] = lf
    from = at + 1
  }
  bytes.copy(result, to, from)
  return result
}

/** `bytes` with LF where CRLF was. */
export function crlfToLf(bytes: Buffer): Buffer {
  const result = Buffer.alloc(bytes.length)
  let from = 0
  let to = 0
  for (let at = bytes.indexOf('\r\n'); at !== -1; at = bytes.indexOf('\r\n', at + 2)) {
    to += bytes.copy(result, to, from, at)
    from = at + 1
  }
  to += bytes.copy(result, to, from)
  return result.subarray(0, to)
}
