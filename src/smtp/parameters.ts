// The parameters of MAIL and RCPT. RFC 5321 §4.1.2; RFC 1870 §3 (SIZE), RFC 6152 and 3030 (BODY), RFC 6531 (SMTPUTF8), RFC 3461 §4 (DSN), RFC 4954 §5 (AUTH).
import { isAscii, SmtpSyntaxError } from './mailbox.ts'
import { decodeXtext } from './xtext.ts'

export type BodyType = '7BIT' | '8BITMIME' | 'BINARYMIME'
export type NotifyEvent = 'SUCCESS' | 'FAILURE' | 'DELAY'

/** What a MAIL command may say behind its path. */
export interface MailParameters {
  /** RFC 1870: the client's estimate. */
  readonly sizeBytes?: number
  readonly body?: BodyType
  readonly smtpUtf8?: true
  /** RFC 3461 §4.3: what of the message a failure DSN returns. */
  readonly ret?: 'FULL' | 'HDRS'
  /** RFC 3461 §4.4, decoded. */
  readonly envelopeId?: string
  /** RFC 4954 §5, decoded; '' for `<>`. Taken note of, believed of nobody. */
  readonly auth?: string
}

/** What a RCPT command may say behind its path. */
export interface RcptParameters {
  /** RFC 3461 §4.1; empty for NEVER. */
  readonly notify?: readonly NotifyEvent[]
  /** RFC 3461 §4.2, as it was sent (`rfc822;…`, still xtext): it travels on unchanged. */
  readonly originalRecipient?: string
}

/** The parameter is in no extension that the server offers: 555 (RFC 5321 §4.1.1.11). */
export class UnknownParameterError extends SmtpSyntaxError {
  constructor() {
    super('a parameter is not known here')
    this.name = 'UnknownParameterError'
  }
}

export function parseMailParameters(text: string): MailParameters {
  const found: { -readonly [Key in keyof MailParameters]: MailParameters[Key] } = {}
  for (const [keyword, value] of readParameters(text)) {
    switch (keyword) {
      case 'SIZE':
        // RFC 1870 §3: 1*20DIGIT.
        if (value === undefined || !/^\d{1,20}$/.test(value)) throw new SmtpSyntaxError('SIZE takes a number')
        found.sizeBytes = Number(value)
        break
      case 'BODY':
        found.body = bodyType(value)
        break
      case 'SMTPUTF8':
        // RFC 6531 §3.4.
        if (value !== undefined) throw new SmtpSyntaxError('SMTPUTF8 takes no value')
        found.smtpUtf8 = true
        break
      case 'RET': {
        const ret = value?.toUpperCase()
        if (ret !== 'FULL' && ret !== 'HDRS') throw new SmtpSyntaxError('RET takes FULL or HDRS')
        found.ret = ret
        break
      }
      case 'ENVID':
        // RFC 3461 §5.4: at least 100 characters.
        if (value === undefined || value.length > 256) throw new SmtpSyntaxError('ENVID takes an identifier')
        found.envelopeId = printable(decodeXtext(value))
        break
      case 'AUTH': {
        if (value === undefined) throw new SmtpSyntaxError('AUTH takes an address')
        const auth = printable(decodeXtext(value))
        found.auth = auth === '<>' ? '' : auth
        break
      }
      default:
        throw new UnknownParameterError()
    }
  }
  return found
}

export function parseRcptParameters(text: string): RcptParameters {
  const found: { -readonly [Key in keyof RcptParameters]: RcptParameters[Key] } = {}
  for (const [keyword, value] of readParameters(text)) {
    if (keyword === 'NOTIFY') found.notify = notifyEvents(value)
    else if (keyword === 'ORCPT') found.originalRecipient = originalRecipient(value)
    else throw new UnknownParameterError()
  }
  return found
}

function bodyType(value: string | undefined): BodyType {
  const body = value?.toUpperCase()
  if (body === '7BIT' || body === '8BITMIME' || body === 'BINARYMIME') return body
  throw new SmtpSyntaxError('BODY takes 7BIT, 8BITMIME or BINARYMIME')
}

function notifyEvents(value: string | undefined): readonly NotifyEvent[] {
  const events = value?.toUpperCase().split(',') ?? []
  // RFC 3461 §4.1: NEVER must be alone.
  if (events.length === 1 && events[0] === 'NEVER') return []
  const isEvent = (event: string): event is NotifyEvent =>
    event === 'SUCCESS' || event === 'FAILURE' || event === 'DELAY'
  if (events.length === 0 || !events.every(isEvent))
    throw new SmtpSyntaxError('NOTIFY takes NEVER, or SUCCESS, FAILURE and DELAY')
  return [...new Set(events)]
}

function originalRecipient(value: string | undefined): string {
  const semicolon = value?.indexOf(';') ?? -1
  // RFC 3461 §5.4: at least 500 characters.
  if (value === undefined || semicolon < 1 || value.length > 1000)
    throw new SmtpSyntaxError('ORCPT takes a type and an address')
  if (!/^[A-Za-z0-9-]+$/.test(value.slice(0, semicolon)))
    throw new SmtpSyntaxError('ORCPT has a malformed type')
  printable(decodeXtext(value.slice(semicolon + 1)))
  return value
}

/** What is kept for later reports holds no line end and no NUL. */
function printable(text: string): string {
  if (/[\x00-\x1f\x7f]/.test(text)) throw new SmtpSyntaxError('a value holds a control character')
  return text
}

/** Keywords in capitals, each at most once. */
function* readParameters(text: string): Iterable<readonly [string, string | undefined]> {
  if (text === '') return
  if (text[0] !== ' ') throw new SmtpSyntaxError('a space must follow the path')
  const seen = new Set<string>()
  for (const word of text.split(' ')) {
    // More than one space is outside the grammar, harmless, and met.
    if (word === '') continue
    const equals = word.indexOf('=')
    const keyword = (equals === -1 ? word : word.slice(0, equals)).toUpperCase()
    const value = equals === -1 ? undefined : word.slice(equals + 1)
    if (!/^[A-Z0-9][A-Z0-9-]*$/.test(keyword)) throw new SmtpSyntaxError('a parameter is malformed')
    if (value !== undefined && !isValue(value))
      throw new SmtpSyntaxError('the value of a parameter is malformed')
    if (seen.has(keyword)) throw new SmtpSyntaxError('a parameter is given twice')
    seen.add(keyword)
    yield [keyword, value]
  }
}

/** esmtp-value; `=` is let through in it, as AUTH=<a=b> and others send it. */
function isValue(value: string): boolean {
  if (value === '') return false
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code < 33 || (code >= 127 && code <= 0x9f)) return false
  }
  return true
}

/** ORCPT for a server without SMTPUTF8: RFC 6533 §3, utf-8-addr-xtext. */
export function asciiOriginalRecipient(value: string): string {
  if (isAscii(value)) return value
  let encoded = ''
  for (const character of value) {
    const code = character.codePointAt(0) as number
    encoded += code > 0x7f ? `\\x{${code.toString(16).toUpperCase()}}` : character
  }
  return encoded
}
