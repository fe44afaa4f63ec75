// Replies: what they are, how they are written and how they are read. RFC 5321 §4.2; RFC 2034 and 3463 (enhanced status codes).
import { limits } from '../base/limits.ts'

/** One reply. `text` has a line for each element; `status` is the enhanced code (`5.1.1`). */
export interface SmtpReply {
  readonly code: number
  readonly status?: string
  readonly text: string | readonly string[]
}

/** Thrown by a command: the peer is told `reply`. */
export class SmtpRefusal extends Error {
  readonly reply: SmtpReply

  constructor(code: number, status: string | undefined, text: string, options?: ErrorOptions) {
    super(`${code} ${text}`, options)
    this.name = 'SmtpRefusal'
    this.reply = status === undefined ? { code, text } : { code, status, text }
  }
}

/** The wire form. Throws when a line holds CR, LF, NUL or anything but printable ASCII: a bug of ours. */
export function encodeReply({ code, status, text }: SmtpReply): string {
  const lines = typeof text === 'string' ? [text] : text
  const prefix = status === undefined ? '' : `${status} `
  let encoded = ''
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string
    if (/[^\t\x20-\x7e]/.test(line))
      throw new Error(`a reply's text is not printable ASCII: ${JSON.stringify(line)}`)
    // RFC 5321 §4.5.3.1.5: 512 octets with code and CRLF.
    encoded += `${code}${i === lines.length - 1 ? ' ' : '-'}${prefix}${line.slice(0, 480)}\r\n`
  }
  return encoded
}

/** A reply as a client got it. */
export interface ReceivedReply {
  readonly code: number
  /** The enhanced status, if the server gave one whose class fits its code. */
  readonly status: string | undefined
  /** The text of each line, without codes; not to be trusted. */
  readonly lines: readonly string[]
}

/** What a server sent is no reply. */
export class ReplyError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ReplyError'
  }
}

/** Puts lines together into replies; strict, and bounded in lines. */
export class ReplyParser {
  #code = 0
  #status: string | undefined
  #lines: string[] = []

  /** Takes one line without its CRLF; the reply when this line ended it. Throws ReplyError. */
  push(line: Buffer): ReceivedReply | undefined {
    const text = line.toString('utf8')
    // RFC 5321 §4.2: the code, then a space or hyphen; §4.2.1 tolerates a code alone.
    const match = /^([2-5][0-5][0-9])(?:([ -])(.*))?$/s.exec(text)
    if (!match) throw new ReplyError('the server sent a line that is no reply')
    const code = Number(match[1])
    if (this.#lines.length > 0 && code !== this.#code)
      throw new ReplyError('the lines of a reply have different codes')
    this.#code = code
    if (this.#lines.length >= limits.smtp.replyLines) throw new ReplyError('a reply has too many lines')
    this.#lines.push(this.#withoutStatus(match[3] ?? ''))
    if (match[2] === '-') return undefined
    const reply = { code, status: this.#status, lines: this.#lines }
    this.#lines = []
    this.#status = undefined
    return reply
  }

  #withoutStatus(text: string): string {
    const match = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/.exec(text)
    if (!match || match[0][0] !== String(this.#code)[0]) return text
    this.#status ??= match[1]
    return text.slice(match[0].length)
  }
}
