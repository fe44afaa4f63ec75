// Reads the wire form of ENVELOPE and BODYSTRUCTURE back: lists, strings, numbers, NIL. Strict: what IMAP4rev1 does not allow throws.

export type Wire = null | number | { readonly s: string } | readonly Wire[]

/** The one value that `text` (Latin-1) is. */
export function readWire(text: string): Wire {
  const [value, end] = readValue(text, 0)
  if (end !== text.length) throw new Error(`something follows the value: ${text.slice(end, end + 40)}`)
  return value
}

/** The value that begins at `at`, and where it ends. */
export function readValue(text: string, at: number): [Wire, number] {
  const char = text[at]
  if (char === '(') return readList(text, at)
  if (char === '"') return readQuoted(text, at)
  if (char === '{') return readLiteral(text, at)
  if (text.startsWith('NIL', at)) return [null, at + 3]
  const digits = /^\d{1,12}/.exec(text.slice(at, at + 13))?.[0]
  if (digits === undefined) throw new Error(`no value: ${text.slice(at, at + 40)}`)
  return [Number(digits), at + digits.length]
}

function readList(text: string, start: number): [Wire, number] {
  const list: Wire[] = []
  let at = start + 1
  while (text[at] !== ')') {
    // One space between values; none between the bodies of a multipart and the addresses of a list.
    if (list.length > 0 && text[at] === ' ') at++
    const [value, end] = readValue(text, at)
    list.push(value)
    at = end
  }
  return [list, at + 1]
}

function readQuoted(text: string, start: number): [Wire, number] {
  let s = ''
  for (let at = start + 1; ; at++) {
    let char = text[at]
    if (char === '"') return [{ s }, at + 1]
    if (char === '\\') {
      char = text[++at]
      if (char !== '"' && char !== '\\') throw new Error('a backslash before something else')
    }
    if (char === undefined || !/^[\x01-\x09\x0b\x0c\x0e-\x7f]$/.test(char))
      throw new Error('not a QUOTED-CHAR')
    s += char
  }
}

function readLiteral(text: string, start: number): [Wire, number] {
  const head = /^\{(\d+)\}\r\n/.exec(text.slice(start, start + 20))
  if (head === null) throw new Error('a bad literal')
  const from = start + head[0].length
  const end = from + Number(head[1])
  const s = text.slice(from, end)
  if (end > text.length || s.includes('\0')) throw new Error('a literal that is cut short or has NUL')
  return [{ s }, end]
}
