// HTML to the text that a reader sees: for previews and searching, never for showing. HTML Living Standard §13.
//
// One pass without regular expressions. Tags become spaces or line ends, the content of style, script, head's title
// and comments goes, character references are decoded.

/** Elements whose content is not text. */
const HIDDEN: ReadonlySet<string> = new Set([
  'style',
  'script',
  'title',
  'template',
  'noframes',
  'object',
  'svg',
])
/** Elements that run on within a line. */
const INLINE: ReadonlySet<string> = new Set([
  'a',
  'abbr',
  'acronym',
  'b',
  'bdi',
  'bdo',
  'big',
  'cite',
  'code',
  'del',
  'dfn',
  'em',
  'font',
  'i',
  'ins',
  'kbd',
  'mark',
  'q',
  's',
  'samp',
  'small',
  'span',
  'strike',
  'strong',
  'sub',
  'sup',
  'tt',
  'u',
  'var',
  'wbr',
  'o:p',
])

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
  ['ensp', ' '],
  ['emsp', ' '],
  ['thinsp', ' '],
  ['zwnj', ''],
  ['zwj', ''],
  ['shy', ''],
  ['copy', '©'],
  ['reg', '®'],
  ['trade', '™'],
  ['hellip', '…'],
  ['ndash', '–'],
  ['mdash', '—'],
  ['lsquo', '‘'],
  ['rsquo', '’'],
  ['sbquo', '‚'],
  ['ldquo', '“'],
  ['rdquo', '”'],
  ['bdquo', '„'],
  ['laquo', '«'],
  ['raquo', '»'],
  ['lsaquo', '‹'],
  ['rsaquo', '›'],
  ['bull', '•'],
  ['middot', '·'],
  ['euro', '€'],
  ['pound', '£'],
  ['yen', '¥'],
  ['cent', '¢'],
  ['sect', '§'],
  ['para', '¶'],
  ['deg', '°'],
  ['plusmn', '±'],
  ['times', '×'],
  ['divide', '÷'],
  ['frac12', '½'],
  ['frac14', '¼'],
  ['frac34', '¾'],
  ['iexcl', '¡'],
  ['iquest', '¿'],
  ['rarr', '→'],
  ['larr', '←'],
  ['szlig', 'ß'],
  ['oslash', 'ø'],
  ['Oslash', 'Ø'],
  ['aelig', 'æ'],
  ['AElig', 'Æ'],
  ['oelig', 'œ'],
  ['OElig', 'Œ'],
])

/** `auml` is a letter and a mark: the combining characters that the names end in. */
const MARKS: ReadonlyMap<string, string> = new Map([
  ['uml', '\u0308'],
  ['acute', '\u0301'],
  ['grave', '\u0300'],
  ['circ', '\u0302'],
  ['tilde', '\u0303'],
  ['cedil', '\u0327'],
  ['ring', '\u030a'],
  ['caron', '\u030c'],
])

/** The text of an HTML document or a piece of one. Stops when it has about `maxLength` characters. */
export function htmlToText(html: string, maxLength = Number.POSITIVE_INFINITY): string {
  const out: string[] = []
  let length = 0
  for (const piece of htmlTextPieces(html, Math.min(maxLength, PIECE_CHARS))) {
    out.push(piece)
    length += piece.length
    if (length >= maxLength) break
  }
  return out.join('')
}

const PIECE_CHARS = 65_536

/** The same in pieces of about `pieceChars` characters, each some milliseconds of work at most, so that others can run between. */
export function* htmlTextPieces(html: string, pieceChars = PIECE_CHARS): Generator<string, void, undefined> {
  let out: string[] = []
  let length = 0
  let at = 0
  let open = -1
  while (at < html.length) {
    if (length >= pieceChars) {
      yield out.join('')
      out = []
      length = 0
    }
    // Looked for once, however many pieces there are before it.
    if (open < at) open = html.indexOf('<', at)
    if (open === -1) open = html.length
    const end = textEnd(html, at, open)
    if (end > at) {
      const text = decodeEntities(html.slice(at, end))
      out.push(text)
      // What was read counts too: references are longer than what they stand for.
      length += end - at
    }
    at = end
    if (at !== open || at === html.length) continue
    const next = html.charCodeAt(open + 1)
    if (!isTagStart(next)) {
      out.push('<')
      length++
      at = open + 1
      continue
    }
    if (next === 33) {
      at = commentEnd(html, open)
      continue
    }
    const nameStart = next === 47 ? open + 2 : open + 1
    const nameEnd = tagNameEnd(html, nameStart)
    const name = html.slice(nameStart, nameEnd).toLowerCase()
    at = tagEnd(html, nameEnd)
    if (next !== 47 && HIDDEN.has(name) && html.charCodeAt(at - 2) !== 47) at = elementEnd(html, name, at)
    if (!INLINE.has(name)) out.push(name === 'td' || name === 'th' || name === 'img' ? ' ' : '\n')
    length++
  }
  yield out.join('')
}

/** Where to stop in a run of text from `at` to `end`: after a bounded length, and not in the middle of a character reference. */
function textEnd(html: string, at: number, end: number): number {
  const bound = at + PIECE_CHARS
  if (end <= bound) return end
  const reference = html.lastIndexOf('&', bound)
  return reference > at && bound - reference <= ENTITY_MAX + 1 ? reference : bound
}

/** A letter, "/", "!" or "?": else the "<" is text. */
function isTagStart(char: number): boolean {
  const lower = char | 32
  return (lower >= 97 && lower <= 122) || char === 47 || char === 33 || char === 63
}

function commentEnd(html: string, open: number): number {
  if (html.startsWith('<!--', open)) {
    const close = html.indexOf('-->', open + 4)
    return close === -1 ? html.length : close + 3
  }
  const close = html.indexOf('>', open)
  return close === -1 ? html.length : close + 1
}

const TAG_NAME_MAX = 32

function tagNameEnd(html: string, at: number): number {
  const max = Math.min(html.length, at + TAG_NAME_MAX)
  while (at < max) {
    const char = html.charCodeAt(at)
    if (char === 62 || char === 47 || char <= 32) break
    at++
  }
  return at
}

/** After the ">" of a tag; one in a quoted attribute value does not count. */
function tagEnd(html: string, at: number): number {
  let quote = 0
  for (; at < html.length; at++) {
    const char = html.charCodeAt(at)
    if (quote !== 0) {
      if (char === quote) quote = 0
    } else if (char === 62) return at + 1
    else if ((char === 34 || char === 39) && html.charCodeAt(at - 1) === 61) quote = char
  }
  return html.length
}

function elementEnd(html: string, name: string, from: number): number {
  for (let at = html.indexOf('</', from); at !== -1; at = html.indexOf('</', at + 2)) {
    if (html.slice(at + 2, at + 2 + name.length).toLowerCase() === name) return at
  }
  return html.length
}

const ENTITY_MAX = 12

/** Character references decoded; those that are not known stay. */
export function decodeEntities(text: string): string {
  let at = text.indexOf('&')
  if (at === -1) return text
  const out: string[] = []
  let start = 0
  while (at !== -1) {
    let end = at + 1
    while (end < text.length && end - at <= ENTITY_MAX && isNameChar(text.charCodeAt(end))) end++
    const value = entityValue(text.slice(at + 1, end))
    if (value !== undefined) {
      out.push(text.slice(start, at), value)
      start = text.charCodeAt(end) === 59 ? end + 1 : end
    }
    at = text.indexOf('&', end)
  }
  out.push(text.slice(start))
  return out.join('')
}

function isNameChar(char: number): boolean {
  const lower = char | 32
  return (lower >= 97 && lower <= 122) || (char >= 48 && char <= 57) || char === 35
}

function entityValue(name: string): string | undefined {
  if (name.charCodeAt(0) === 35) {
    const isHex = (name.charCodeAt(1) | 32) === 120
    const code = isHex ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10)
    if (!(code > 0 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) return undefined
    return String.fromCodePoint(code)
  }
  const known = ENTITIES.get(name)
  if (known !== undefined) return known
  const mark = MARKS.get(name.slice(1))
  return mark === undefined ? undefined : `${name.charAt(0)}${mark}`.normalize('NFC')
}
