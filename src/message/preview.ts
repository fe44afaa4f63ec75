// The first words of a message, and whether it carries attachments. RFC 8970 §3.1; RFC 8621 §4.1.4.
import { decodeCharset } from './charset.ts'
import { htmlToText } from './html.ts'
import { parameterOf } from './parameters.ts'
import type { Part } from './part.ts'
import { decodeTransfer } from './transfer.ts'

/** RFC 8970 §3.1: at most this many characters. */
const PREVIEW_CHARS = 200
/** Encoded bytes that are looked at: HTML begins with styles. */
const PLAIN_BYTES = 4096
const HTML_BYTES = 64 * 1024

/** The preview text: of the first plain text, else of the first HTML; white space is single spaces. */
export function makePreview(bytes: Buffer, root: Part): string {
  const plain = findText(root, 'plain')
  if (plain !== undefined) {
    const text = trimPreview(partText(bytes, plain, PLAIN_BYTES))
    if (text !== '') return text
  }
  const html = findText(root, 'html')
  if (html === undefined) return ''
  return trimPreview(htmlToText(partText(bytes, html, HTML_BYTES), PREVIEW_CHARS * 8))
}

function partText(bytes: Buffer, part: Part, maxBytes: number): string {
  const body = bytes.subarray(part.bodyStart, Math.min(part.bodyEnd, part.bodyStart + maxBytes))
  return decodeCharset(decodeTransfer(body, part.encoding), parameterOf(part.params, 'charset') ?? '')
}

function findText(part: Part, subtype: string): Part | undefined {
  if (part.type === 'text') {
    return part.subtype === subtype && part.disposition?.type !== 'attachment' ? part : undefined
  }
  if (part.type !== 'multipart') return undefined
  for (const child of part.children) {
    const found = findText(child, subtype)
    if (found !== undefined) return found
  }
  return undefined
}

/** On one line, without the characters that newsletters pad previews with. */
function trimPreview(text: string): string {
  const pieces: string[] = []
  /** Where the run of characters that is kept as it stands began; -1 between two. */
  let start = -1
  let length = 0
  let isSpaced = false
  let at = 0
  for (; at < text.length && length < PREVIEW_CHARS; at++) {
    const code = text.codePointAt(at) as number
    const isSpace = isWhite(code)
    // Most of a text: one space between two plain characters.
    if (isSpace && code === 32 && start >= 0 && isPlain(text.charCodeAt(at + 1))) {
      length++
    } else if (isSpace || isInvisible(code)) {
      if (start >= 0) pieces.push(text.slice(start, at))
      start = -1
      isSpaced ||= isSpace && length > 0
    } else {
      if (isSpaced) {
        pieces.push(' ')
        isSpaced = false
        // No room for what would follow.
        if (++length === PREVIEW_CHARS) break
      }
      if (start < 0) start = at
      length++
    }
    if (code > 0xffff) at++
  }
  if (start >= 0) pieces.push(text.slice(start, at))
  // A space at the end, and a character cut in two by the byte bound.
  return pieces.join('').replace(/ ?\ufffd?$/, '')
}

function isWhite(code: number): boolean {
  return code <= 32 || code === 0xa0 || code === 0x2028 || code === 0x2029 || code === 0x3000
}

/** A printable character of ASCII; false at the end of a text. */
function isPlain(code: number): boolean {
  return code > 32 && code < 127
}

/** Zero-width characters, marks of direction left alone by themselves, combining grapheme joiner, soft hyphen, controls. */
function isInvisible(code: number): boolean {
  if (code < 0xad) return code === 127
  return (
    code === 0xad ||
    code === 0x34f ||
    (code >= 0x200b && code <= 0x200d) ||
    code === 0x2060 ||
    code === 0xfeff
  )
}

/** Whether a reader would be shown an attachment: not the body's texts, what they embed, nor signatures. */
export function hasAttachment(part: Part, isRelated = false): boolean {
  if (part.type === 'multipart') {
    const inRelated = isRelated || part.subtype === 'related'
    return part.children.some((child, index) => hasAttachment(child, inRelated && index > 0))
  }
  const { disposition } = part
  if (disposition?.type === 'attachment') return !isSignature(part)
  const isNamed = hasFileName(part)
  if (part.type === 'text') return isNamed && disposition?.type !== 'inline' && part.subtype !== 'html'
  if (part.type === 'message') return part.subtype === 'rfc822' || isNamed
  if (isSignature(part)) return false
  const isEmbedded = part.id !== undefined && (isRelated || disposition?.type === 'inline')
  return !isEmbedded
}

function hasFileName(part: Part): boolean {
  const { disposition, params } = part
  if (parameterOf(params, 'name') !== undefined || parameterOf(params, 'name*') !== undefined) return true
  if (disposition === undefined) return false
  return (
    parameterOf(disposition.params, 'filename') !== undefined ||
    parameterOf(disposition.params, 'filename*') !== undefined
  )
}

/** RFC 3156, RFC 8551: part of a signed message, which mail programs show as a mark. */
function isSignature({ type, subtype }: Part): boolean {
  return (
    type === 'application' &&
    (subtype === 'pgp-signature' ||
      subtype === 'pgp-encrypted' ||
      subtype === 'pkcs7-signature' ||
      subtype === 'x-pkcs7-signature')
  )
}
