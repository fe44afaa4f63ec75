// BODY, the body structure without extension data, from the stored BODYSTRUCTURE. RFC 9051 §7.5.2.

/** The wire form of BODY for a wire form of BODYSTRUCTURE that `summarize` made. Throws on anything else. */
export function bodyOf(bodyStructure: Uint8Array | string): Buffer {
  const text =
    typeof bodyStructure === 'string' ? bodyStructure : Buffer.from(bodyStructure).toString('latin1')
  const out: string[] = []
  const end = copyBody(text, 0, out)
  if (end !== text.length) throw new Error('a body structure does not end where it should')
  return Buffer.from(out.join(''), 'latin1')
}

/** type, subtype, parameters, id, description, encoding, size. */
const BASIC_FIELDS = 7

/** Copies the body at `start` without its extension data; gives where it ends. As deep as parts nest, which parsing bounds. */
function copyBody(text: string, start: number, out: string[]): number {
  let at = start + 1
  out.push('(')
  if (text.charAt(at) === '(') {
    while (text.charAt(at) === '(') at = copyBody(text, at, out)
    const end = valueEnd(text, at + 1)
    out.push(text.slice(at, end))
    at = end
  } else at = copySingle(text, at, out)
  out.push(')')
  while (text.charAt(at) === ' ') at = valueEnd(text, at + 1)
  return expect(text, at, ')')
}

function copySingle(text: string, start: number, out: string[]): number {
  const isText = text.startsWith('"text" ', start)
  const isMessage = text.startsWith('"message" "rfc822" ', start)
  let at = start
  for (let field = 0; field < BASIC_FIELDS; field++) at = valueEnd(text, field === 0 ? at : at + 1)
  out.push(text.slice(start, at))
  if (isMessage) {
    const envelopeEnd = valueEnd(text, at + 1)
    out.push(text.slice(at, envelopeEnd), ' ')
    at = copyBody(text, envelopeEnd + 1, out)
  }
  if (!isText && !isMessage) return at
  const linesEnd = valueEnd(text, at + 1)
  out.push(text.slice(at, linesEnd))
  return linesEnd
}

/** Where the value at `at` ends: a string, a number, NIL, or a list of values however deep. */
function valueEnd(text: string, at: number): number {
  let depth = 0
  do {
    const char = text.charAt(at)
    if (char === '(') {
      depth++
      at++
    } else if (char === ')') {
      depth--
      at++
    } else if (char === ' ') at++
    else if (char === '"') at = quotedEnd(text, at)
    else if (char === '{') {
      const brace = text.indexOf('}', at)
      at = brace + 3 + Number(text.slice(at + 1, brace))
    } else at = atomEnd(text, at)
  } while (depth > 0)
  return at
}

function quotedEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 92) at++
    else if (char === 34) return at + 1
  }
  throw new Error('a body structure is cut short')
}

function atomEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && !' ()'.includes(text.charAt(at))) at++
  if (at === start) throw new Error('a body structure is cut short')
  return at
}

function expect(text: string, at: number, char: string): number {
  if (text.charAt(at) !== char) throw new Error('a body structure is not of the form that we write')
  return at + 1
}
