// The text of a message in which SEARCH looks. RFC 9051 §6.4.4 (BODY, HEADER, TEXT): decoded, so that what a reader sees is found.
//
// Text comes piece by piece, so that a search can stop at the first match and no large message is decoded at once.
import { decodeCharset } from './charset.ts'
import { decodeWords } from './encoded-word.ts'
import { fieldsOf, headerBlock, unfold } from './header.ts'
import { htmlToText } from './html.ts'
import { findParameter, parseContentType, parseDisposition } from './parameters.ts'
import { isMessagePart, type PartNode } from './sections.ts'
import { decodeTransfer } from './transfer.ts'

/**
 * The decoded values of every field called `name` in a message or header block, a line each; undefined when it has
 * no such field, so that HEADER with an empty string can tell (RFC 9051 §6.4.4).
 */
export function headerText(bytes: Buffer, name: string): string | undefined {
  const wanted = name.toLowerCase()
  const block = headerBlock(bytes)
  const values: string[] = []
  for (const field of fieldsOf(block)) {
    if (field.name === wanted) values.push(decodeWords(unfold(block.slice(field.valueStart, field.end))))
  }
  return values.length === 0 ? undefined : values.join('\n')
}

/** All the fields of the header block that starts at `start`, decoded, `Name: value` a line each. */
export function headerLines(bytes: Buffer, start = 0, end?: number): string {
  const block = headerBlock(bytes, start, end)
  const lines: string[] = []
  for (const field of fieldsOf(block)) lines.push(decodeWords(unfold(block.slice(field.start, field.end))))
  return lines.join('\n')
}

/**
 * The decoded text of a message's body: of each text part (HTML as its reader sees it), the headers of the parts and
 * of the messages inside, the names of attached files. `root` is the message's part tree.
 */
export function* bodyText(bytes: Buffer, root: PartNode): Generator<string, void, undefined> {
  if (root.children.length > 0) {
    const isMessage = isMessagePart(root)
    for (const child of root.children) yield* partText(bytes, child, isMessage)
  } else yield* leafText(bytes, root)
}

/** Recursion is as deep as parts nest, which parsing bounds. */
function* partText(bytes: Buffer, part: PartNode, isMessage: boolean): Generator<string, void, undefined> {
  yield headerLines(bytes, part.headerStart, part.bodyStart)
  if (!isMessage) {
    const name = fileName(bytes, part)
    if (name !== undefined) yield name
  }
  yield* bodyText(bytes, part)
}

function* leafText(bytes: Buffer, part: PartNode): Generator<string, void, undefined> {
  if (part.type !== 'text' && part.type !== 'message') return
  const body = decodeTransfer(bytes.subarray(part.bodyStart, part.bodyEnd), part.encoding)
  const text = decodeCharset(body, part.charset)
  yield part.type === 'text' && part.subtype === 'html' ? htmlToText(text) : text
}

/** The decoded file name of a part (RFC 2183 §2.3; RFC 2231), wherever it stands. */
export function fileName(
  bytes: Buffer,
  part: Pick<PartNode, 'headerStart' | 'bodyStart'>,
): string | undefined {
  const block = headerBlock(bytes, part.headerStart, part.bodyStart)
  let name: string | undefined
  for (const field of fieldsOf(block)) {
    if (field.name !== 'content-disposition' && field.name !== 'content-type') continue
    const value = block.slice(field.valueStart, field.end)
    if (field.name === 'content-type') {
      name ??= findParameter(parseContentType(value)?.params ?? [], 'name')
    } else {
      const fromDisposition = findParameter(parseDisposition(value)?.params ?? [], 'filename')
      if (fromDisposition !== undefined) return fromDisposition
    }
  }
  return name
}
