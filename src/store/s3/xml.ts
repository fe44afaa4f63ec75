// The little XML that S3 speaks: flat elements of text, a few of them repeated. No attributes are read, no DTD, no entity but XML's own five and numbers.

/** The text of the first element `name` in `xml`; undefined when there is none. */
export function findElement(xml: string, name: string): string | undefined {
  const inner = elementsOf(xml, name).next()
  return inner.done ? undefined : decodeText(inner.value)
}

/** What is inside each element `name`, still XML, in order. */
export function* elementsOf(xml: string, name: string): Generator<string, undefined> {
  const close = `</${name}>`
  for (let at = 0; ; ) {
    const start = xml.indexOf(`<${name}`, at)
    if (start < 0) return
    const open = xml.indexOf('>', start)
    if (open < 0) return
    at = open + 1
    const next = xml[start + name.length + 1]
    // `<Key` is also how `<KeyCount` begins; `<Key/>` is empty.
    if (next !== '>' && next !== ' ' && next !== '/') continue
    if (xml[open - 1] === '/') {
      yield ''
      continue
    }
    const end = xml.indexOf(close, at)
    if (end < 0) return
    yield xml.slice(at, end)
    at = end + close.length
  }
}

/** Text as an element's content. */
export function encodeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decodeText(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|([a-z]{2,4}));/g,
    (whole, hex, decimal, name) => {
      if (name !== undefined) return named[name as string] ?? whole
      const point = hex !== undefined ? Number.parseInt(hex as string, 16) : Number(decimal)
      return point <= 0x10ffff ? String.fromCodePoint(point) : (whole as string)
    },
  )
}
