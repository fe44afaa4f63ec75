// Whole messages written from their parts: delivery reports, demo mail, tests. RFC 5322; RFC 2045, 2046; RFC 6522 (multipart/report).
import { addressField, parameterField, rawField, textField, type ComposeMailbox } from './compose-field.ts'
import { formatDate } from './date.ts'
import { toCrlf } from './line-endings.ts'
import { bodyKind, encodeBase64, encodeQuotedPrintable } from './transfer-encode.ts'

/** How a part is shown, and what it is called (RFC 2183). */
export interface ComposeDisposition {
  readonly type: 'inline' | 'attachment'
  readonly fileName?: string
}

interface CommonPart {
  readonly disposition?: ComposeDisposition
  /** Without angle brackets. */
  readonly id?: string
  readonly description?: string
}

/** A text; its encoding is chosen: 7bit, else the shorter of quoted-printable and base64, in UTF-8. */
export interface TextPart extends CommonPart {
  readonly kind: 'text'
  /** `plain` by default. */
  readonly subtype?: string
  readonly text: string
}

/** Bytes of any type but text, in base64. */
export interface BytesPart extends CommonPart {
  readonly kind: 'bytes'
  readonly type: string
  readonly bytes: Buffer
}

/** A message, or only its header (`text/rfc822-headers`), as it is: neither may be encoded (RFC 2046 §5.2.1). */
export interface MessagePart extends CommonPart {
  readonly kind: 'message'
  /** `message/rfc822` by default. */
  readonly type?: string
  readonly bytes: Buffer
}

/** Groups of fields with blank lines between, such as message/delivery-status (RFC 3464 §2.1). */
export interface StatusPart extends CommonPart {
  readonly kind: 'status'
  readonly type: string
  readonly groups: readonly (readonly (readonly [name: string, value: string])[])[]
}

export interface MultipartPart extends CommonPart {
  readonly kind: 'multipart'
  readonly subtype: string
  readonly params?: readonly (readonly [name: string, value: string])[]
  readonly parts: readonly ComposePart[]
}

export type ComposePart = TextPart | BytesPart | MessagePart | StatusPart | MultipartPart

/** A message to write. Fields that are not given are not written. */
export interface ComposeMessage {
  readonly from?: readonly ComposeMailbox[]
  readonly sender?: ComposeMailbox
  readonly replyTo?: readonly ComposeMailbox[]
  readonly to?: readonly ComposeMailbox[]
  readonly cc?: readonly ComposeMailbox[]
  readonly bcc?: readonly ComposeMailbox[]
  readonly subject?: string
  /** Milliseconds since the epoch. */
  readonly dateMs?: number
  readonly zoneMinutes?: number
  /** Without angle brackets. */
  readonly messageId?: string
  readonly inReplyTo?: readonly string[]
  readonly references?: readonly string[]
  /** Further fields in their own syntax, in order; written first. */
  readonly fields?: readonly (readonly [name: string, value: string])[]
  readonly body: ComposePart
}

/**
 * The bytes of a message, CRLF, without 8-bit in the header except in the addresses that have it.
 * `randomText` gives a fresh text of letters and digits for each boundary. Throws TypeError on CR, LF or NUL in a value.
 */
export function composeMessage(message: ComposeMessage, randomText: () => string): Buffer {
  const header: string[] = []
  for (const [name, value] of message.fields ?? []) header.push(rawField(name, value))
  if (message.dateMs !== undefined)
    header.push(rawField('Date', formatDate(message.dateMs, message.zoneMinutes)))
  addAddresses(header, 'From', message.from)
  if (message.sender !== undefined) header.push(addressField('Sender', [message.sender]))
  addAddresses(header, 'Reply-To', message.replyTo)
  addAddresses(header, 'To', message.to)
  addAddresses(header, 'Cc', message.cc)
  addAddresses(header, 'Bcc', message.bcc)
  addIds(header, 'Message-ID', message.messageId === undefined ? undefined : [message.messageId])
  addIds(header, 'In-Reply-To', message.inReplyTo)
  addIds(header, 'References', message.references)
  if (message.subject !== undefined) header.push(textField('Subject', message.subject))
  header.push(rawField('MIME-Version', '1.0'))
  const out: Buffer[] = [Buffer.from(header.join(''), 'utf8')]
  writePart(message.body, randomText, out)
  return Buffer.concat(out)
}

function addAddresses(header: string[], name: string, list: readonly ComposeMailbox[] | undefined): void {
  if (list !== undefined && list.length > 0) header.push(addressField(name, list))
}

function addIds(header: string[], name: string, ids: readonly string[] | undefined): void {
  if (ids !== undefined && ids.length > 0) header.push(rawField(name, ids.map(id => `<${id}>`).join(' ')))
}

const CRLF = Buffer.from('\r\n')

/** Writes a part's own fields, the blank line and its body. */
function writePart(part: ComposePart, randomText: () => string, out: Buffer[]): void {
  switch (part.kind) {
    case 'text': {
      const { encoding, body } = encodeText(part.text)
      const params: [string, string][] = [['charset', encoding === '7bit' ? 'us-ascii' : 'utf-8']]
      out.push(partHeader(part, `text/${part.subtype ?? 'plain'}`, params, encoding), body)
      return
    }
    case 'bytes':
      out.push(partHeader(part, part.type, [], 'base64'), Buffer.from(encodeBase64(part.bytes), 'latin1'))
      return
    case 'message':
      out.push(partHeader(part, part.type ?? 'message/rfc822', [], bodyKind(part.bytes)), part.bytes)
      return
    case 'status': {
      const groups = part.groups.map(group => group.map(([name, value]) => textField(name, value)).join(''))
      out.push(partHeader(part, part.type, [], '7bit'), Buffer.from(groups.join('\r\n'), 'latin1'))
      return
    }
    case 'multipart':
      writeMultipart(part, randomText, out)
  }
}

function writeMultipart(part: MultipartPart, randomText: () => string, out: Buffer[]): void {
  if (part.parts.length === 0) throw new TypeError('a multipart without parts (RFC 2046 §5.1.1)')
  const bodies = part.parts.map(child => {
    const pieces: Buffer[] = []
    writePart(child, randomText, pieces)
    return Buffer.concat(pieces)
  })
  // "=_" stands in neither quoted-printable nor base64 (RFC 2045 §6.7).
  let boundary = `=_${randomText()}`
  while (bodies.some(body => body.includes(`--${boundary}`))) boundary = `=_${randomText()}`
  const kinds = new Set(bodies.map(body => bodyKind(body)))
  const encoding = kinds.has('binary') ? 'binary' : kinds.has('8bit') ? '8bit' : '7bit'
  out.push(
    partHeader(part, `multipart/${part.subtype}`, [...(part.params ?? []), ['boundary', boundary]], encoding),
  )
  for (const body of bodies) out.push(Buffer.from(`--${boundary}\r\n`, 'latin1'), body, CRLF)
  out.push(Buffer.from(`--${boundary}--\r\n`, 'latin1'))
}

function partHeader(
  part: ComposePart,
  type: string,
  params: readonly (readonly [name: string, value: string])[],
  encoding: string,
): Buffer {
  const lines = [parameterField('Content-Type', type, params)]
  if (encoding !== '7bit') lines.push(rawField('Content-Transfer-Encoding', encoding))
  if (part.disposition !== undefined) {
    const { type: shown, fileName } = part.disposition
    lines.push(
      parameterField('Content-Disposition', shown, fileName === undefined ? [] : [['filename', fileName]]),
    )
  }
  if (part.id !== undefined) lines.push(rawField('Content-ID', `<${part.id}>`))
  if (part.description !== undefined) lines.push(textField('Content-Description', part.description))
  lines.push('\r\n')
  return Buffer.from(lines.join(''), 'utf8')
}

function encodeText(text: string): { encoding: string; body: Buffer } {
  const bytes = toCrlf(Buffer.from(text, 'utf8'))
  if (bodyKind(bytes) === '7bit') return { encoding: '7bit', body: bytes }
  const quoted = encodeQuotedPrintable(bytes)
  const base64 = encodeBase64(bytes)
  return quoted.length <= base64.length
    ? { encoding: 'quoted-printable', body: Buffer.from(quoted, 'latin1') }
    : { encoding: 'base64', body: Buffer.from(base64, 'latin1') }
}
