// Makes a message one of 7 bits, for a server without 8BITMIME or BINARYMIME. RFC 6152 §3; RFC 3030 §3; RFC 2045 §6.4 (multiparts are never encoded).
import { fieldsOf, headerBlock } from '../message/header.ts'
import { type Part, parseMessage } from '../message/part.ts'
import { decodeTransfer } from '../message/transfer.ts'
import { bodyKind, encodeBase64, encodeQuotedPrintable } from '../message/transfer-encode.ts'

/** Bytes of the message from `start` to `end` are to become `with`. */
interface Edit {
  readonly start: number
  readonly end: number
  readonly with: Buffer
}

/** No content is lost: leaves of the MIME tree are encoded where they must be, in quoted-printable where that is readable. */
export function encodeTo7Bit(bytes: Buffer): Buffer {
  const edits: Edit[] = []
  const waiting: Part[] = [parseMessage(bytes)]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    waiting.push(...part.children)
    edits.push(...(part.children.length > 0 ? editBranch(bytes, part) : editLeaf(bytes, part)))
  }
  return withoutHighBytes(applyEdits(bytes, edits))
}

/** A multipart or message: its own label only. */
function editBranch(bytes: Buffer, part: Part): Edit[] {
  return part.encoding === '8bit' || part.encoding === 'binary' ? relabel(bytes, part, '7bit') : []
}

function editLeaf(bytes: Buffer, part: Part): Edit[] {
  const body = bytes.subarray(part.bodyStart, part.bodyEnd)
  if (bodyKind(body) === '7bit') return editBranch(bytes, part)
  // Of a body that is no 7-bit though its encoding says so, what it stands for is encoded.
  const content = decodeTransfer(body, part.encoding)
  const isReadable = part.type === 'text' && bodyKind(content) !== 'binary'
  const encoded = isReadable ? encodeQuotedPrintable(content) : encodeBase64(content)
  return [
    ...relabel(bytes, part, isReadable ? 'quoted-printable' : 'base64'),
    { start: part.bodyStart, end: part.bodyEnd, with: Buffer.from(encoded, 'latin1') },
  ]
}

function relabel(bytes: Buffer, part: Part, encoding: string): Edit[] {
  const label = `Content-Transfer-Encoding: ${encoding}\r\n`
  const { headerStart, headerEnd } = part
  // A message that never said that it is MIME has to say so now.
  let isMime = part.message === undefined
  for (const { name, start, end } of fieldsOf(headerBlock(bytes, headerStart, headerEnd))) {
    if (name === 'content-transfer-encoding')
      return [{ start: headerStart + start, end: headerStart + end, with: Buffer.from(label) }]
    isMime ||= name === 'mime-version'
  }
  const added = Buffer.from(isMime ? label : `MIME-Version: 1.0\r\n${label}`)
  return [{ start: headerStart, end: headerStart, with: added }]
}

function applyEdits(bytes: Buffer, edits: readonly Edit[]): Buffer {
  const pieces: Buffer[] = []
  let at = 0
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    pieces.push(bytes.subarray(at, edit.start), edit.with)
    at = edit.end
  }
  pieces.push(bytes.subarray(at))
  return Buffer.concat(pieces)
}

/** What still has 8 bits has no business to: raw header fields, text between the parts. */
function withoutHighBytes(bytes: Buffer): Buffer {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f) bytes[i] = 0x3f
  return bytes
}
