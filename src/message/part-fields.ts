// What the header of a part says. RFC 2045 §5 to §8; RFC 1864 (MD5); RFC 2183; RFC 3282 (language); RFC 2557 (location); RFC 5322 §3.6.
import { limits } from '../base/limits.ts'
import { fieldName, findFieldEnd, headerBlock, isBlankLine, unfold } from './header.ts'
import { Lexer } from './lexer.ts'
import {
  parameterOf,
  parseContentType,
  parseDisposition,
  type ContentType,
  type Disposition,
  type Parameter,
} from './parameters.ts'

/** The MIME fields of one part. Texts are Latin-1 as they stand in the message. */
export interface PartFields {
  /** In lower case; `text` where the message does not say (RFC 2045 §5.2). */
  readonly type: string
  readonly subtype: string
  readonly params: readonly Parameter[]
  /** In lower case; `7bit` where the message does not say (RFC 2045 §6.1). */
  readonly encoding: string
  readonly id: string | undefined
  readonly description: string | undefined
  readonly md5: string | undefined
  readonly disposition: Disposition | undefined
  readonly language: readonly string[]
  readonly location: string | undefined
}

/** The fields of a message's header that ENVELOPE, threading and sorting ask for: folded values, Latin-1. */
export interface MessageFields {
  date: string | undefined
  subject: string | undefined
  from: string[]
  sender: string[]
  replyTo: string[]
  to: string[]
  cc: string[]
  bcc: string[]
  inReplyTo: string | undefined
  messageId: string | undefined
  references: string[]
}

/** Reads the header block in `[start, end)`. `isInDigest`: RFC 2046 §5.1.5 makes message/rfc822 the default type. */
export function readFields(
  bytes: Buffer,
  start: number,
  end: number,
  isMessage: boolean,
  isInDigest: boolean,
): { fields: PartFields; message: MessageFields | undefined } {
  const block = headerBlock(bytes, start, end)
  const message: MessageFields | undefined = isMessage ? emptyMessage() : undefined
  const mime: MimeFields = {
    type: undefined,
    encoding: undefined,
    id: undefined,
    description: undefined,
    md5: undefined,
    disposition: undefined,
    language: undefined,
    location: undefined,
  }
  for (let at = 0; at < block.length && !isBlankLine(block, at); ) {
    const next = findFieldEnd(block, at)
    const name = fieldName(block, at, next, LONGEST_NAME)
    if (name.startsWith('content-')) readMimeField(mime, name, block.slice(block.indexOf(':', at) + 1, next))
    else if (message !== undefined)
      readMessageField(message, name, block.slice(block.indexOf(':', at) + 1, next))
    at = next
  }
  return { fields: partFields(mime, isInDigest), message }
}

/** `content-transfer-encoding`. */
const LONGEST_NAME = 25

interface MimeFields {
  type: string | undefined
  encoding: string | undefined
  id: string | undefined
  description: string | undefined
  md5: string | undefined
  disposition: string | undefined
  language: string | undefined
  location: string | undefined
}

/**
 * Of several fields of one name the last counts, as in an ENVELOPE; but the first that says how to read the body,
 * since that is what filters on the way look at.
 */
function readMimeField(mime: MimeFields, name: string, value: string): void {
  switch (name) {
    case 'content-type':
      mime.type ??= value
      break
    case 'content-transfer-encoding':
      mime.encoding ??= value
      break
    case 'content-id':
      mime.id = value
      break
    case 'content-description':
      mime.description = value
      break
    case 'content-md5':
      mime.md5 = value
      break
    case 'content-disposition':
      mime.disposition = value
      break
    case 'content-language':
      mime.language = value
      break
    case 'content-location':
      mime.location = value
      break
    default:
  }
}

function emptyMessage(): MessageFields {
  return {
    date: undefined,
    subject: undefined,
    from: [],
    sender: [],
    replyTo: [],
    to: [],
    cc: [],
    bcc: [],
    inReplyTo: undefined,
    messageId: undefined,
    references: [],
  }
}

function readMessageField(message: MessageFields, name: string, value: string): void {
  switch (name) {
    case 'date':
      message.date = value
      break
    case 'subject':
      message.subject = value
      break
    case 'from':
      message.from.push(value)
      break
    case 'sender':
      message.sender.push(value)
      break
    case 'reply-to':
      message.replyTo.push(value)
      break
    case 'to':
      message.to.push(value)
      break
    case 'cc':
      message.cc.push(value)
      break
    case 'bcc':
      message.bcc.push(value)
      break
    case 'in-reply-to':
      message.inReplyTo = value
      break
    case 'message-id':
      message.messageId = value
      break
    case 'references':
      message.references.push(value)
      break
    default:
  }
}

const PLAIN_TEXT: ContentType = { type: 'text', subtype: 'plain', params: [] }
const MESSAGE: ContentType = { type: 'message', subtype: 'rfc822', params: [] }

function partFields(mime: MimeFields, isInDigest: boolean): PartFields {
  // RFC 2045 §5.2, RFC 2046 §5.1.5: the default for a missing type; for one with wrong syntax it is plain text.
  const content =
    mime.type === undefined
      ? isInDigest
        ? MESSAGE
        : PLAIN_TEXT
      : (parseContentType(mime.type) ?? PLAIN_TEXT)
  return {
    type: content.type,
    subtype: content.subtype,
    params: content.params,
    encoding: mime.encoding === undefined ? '7bit' : parseEncoding(mime.encoding),
    id: optional(mime.id),
    description: optional(mime.description),
    md5: optional(mime.md5),
    disposition: mime.disposition === undefined ? undefined : parseDisposition(mime.disposition),
    language: mime.language === undefined ? [] : parseLanguages(mime.language),
    location: optional(mime.location),
  }
}

function optional(value: string | undefined): string | undefined {
  return value === undefined ? undefined : unfold(value)
}

function parseEncoding(value: string): string {
  const lexer = new Lexer(value)
  lexer.skipSpace()
  const token = lexer.readToken()
  // RFC 2045 §6.1: one token. With anything after it ("quoted printable") it means nothing.
  return token === undefined || lexer.skipSpace() ? '7bit' : token.toLowerCase()
}

/** Language tags with commas between them (RFC 3282 §2). */
function parseLanguages(value: string): string[] {
  const lexer = new Lexer(value)
  const tags: string[] = []
  while (lexer.skipSpace() && tags.length < limits.message.parameters) {
    const tag = lexer.readToken()
    if (tag !== undefined) tags.push(tag)
    lexer.skipSpace()
    if (lexer.isAtEnd) break
    lexer.at++
  }
  return tags
}

/** The boundary of a multipart (RFC 2046 §5.1.1). */
export function boundaryOf(part: PartFields): string | undefined {
  return parameterOf(part.params, 'boundary')
}
