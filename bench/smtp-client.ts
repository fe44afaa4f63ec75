// A raw SMTP and LMTP client for benchmarks and drills. RFC 5321, RFC 2033, RFC 2920.
import { type Endpoint, Stream } from './stream.ts'

/** A reply: its code and its last line. */
export interface SmtpReply {
  readonly code: number
  readonly text: string
}

export class SmtpClient {
  readonly #stream: Stream

  private constructor(stream: Stream) {
    this.#stream = stream
  }

  /** Connects, reads the greeting and says `EHLO` (SMTP) or `LHLO` (LMTP). */
  static async connect(endpoint: Endpoint, hello: 'EHLO' | 'LHLO'): Promise<SmtpClient> {
    const stream = await Stream.connect(endpoint)
    const client = new SmtpClient(stream)
    await client.#replies(1)
    await client.expect(250, `${hello} bench.test`)
    return client
  }

  /** Sends one command line and gives its reply. */
  async ask(line: string): Promise<SmtpReply> {
    this.#stream.write(`${line}\r\n`)
    return first(await this.#replies(1))
  }

  async expect(code: number, line: string): Promise<SmtpReply> {
    const reply = await this.ask(line)
    if (reply.code !== code) throw new Error(`${line}: ${reply.code} ${reply.text}`)
    return reply
  }

  /** AUTH PLAIN with an initial response (RFC 4954, RFC 4616). */
  async authenticate(user: string, password: string): Promise<void> {
    await this.expect(235, `AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`)
  }

  /**
   * One transaction: the envelope and DATA in one write (RFC 2920), then the dot-stuffed body (see dotStuff).
   * Gives the last replies, one in SMTP and one for each recipient in LMTP; throws where the envelope is refused.
   */
  async send(
    from: string,
    recipients: readonly string[],
    stuffed: Buffer,
    finalReplies = 1,
  ): Promise<SmtpReply[]> {
    const envelope = recipients.map(address => `RCPT TO:<${address}>\r\n`).join('')
    this.#stream.write(`MAIL FROM:<${from}>\r\n${envelope}DATA\r\n`)
    const replies = await this.#replies(recipients.length + 2)
    const last = replies.at(-1)
    if (last?.code !== 354) {
      const refused = replies.find(reply => reply.code >= 400)
      throw new Error(`refused: ${refused?.code} ${refused?.text}`)
    }
    this.#stream.write(stuffed)
    return this.#replies(finalReplies)
  }

  async quit(): Promise<void> {
    await this.ask('QUIT')
    this.#stream.destroy()
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#stream.destroy()
  }

  /** The next `count` replies, each of one or several lines (RFC 5321 §4.2.1). */
  async #replies(count: number): Promise<SmtpReply[]> {
    const replies: SmtpReply[] = []
    while (replies.length < count) {
      const line = Buffer.concat(await this.#stream.until(endOfLine))
        .toString('utf8')
        .trimEnd()
      if (line[3] !== '-') replies.push({ code: Number(line.slice(0, 3)), text: line.slice(4) })
    }
    return replies
  }
}

/** A message ready for DATA: dots doubled at line starts and CRLF.CRLF at the end (RFC 5321 §4.5.2). */
export function dotStuff(message: Buffer): Buffer {
  const parts: Buffer[] = []
  let from = 0
  if (message[0] === dot) parts.push(Buffer.from('.'))
  for (let at = message.indexOf('\r\n.'); at >= 0; at = message.indexOf('\r\n.', at + 2)) {
    parts.push(message.subarray(from, at + 2), Buffer.from('.'))
    from = at + 2
  }
  parts.push(message.subarray(from))
  const endsLine = message.length >= 2 && message.subarray(-2).toString('latin1') === '\r\n'
  parts.push(Buffer.from(endsLine ? '.\r\n' : '\r\n.\r\n'))
  return Buffer.concat(parts)
}

const dot = 0x2e

function first(replies: readonly SmtpReply[]): SmtpReply {
  const reply = replies[0]
  if (reply === undefined) throw new Error('no reply')
  return reply
}

function endOfLine(tail: Buffer): number | undefined {
  const at = tail.indexOf('\r\n')
  return at < 0 ? undefined : at + 2
}
