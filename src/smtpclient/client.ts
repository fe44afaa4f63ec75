// One connection to a server, as its client. RFC 5321 §3, §4.5.3.2 (timeouts); RFC 2920; RFC 3207; RFC 4954; RFC 1870; RFC 6152; RFC 6531 §3.2; RFC 3030; RFC 3461 §5.2.1.
//
// Invariants:
// - What the server sends is bounded and strict: a line that is no reply ends the connection.
// - An address or parameter that could hold a line end never reaches the wire: the grammar is checked again here.
// - A recipient is 'delivered' only after the server's 250 to the whole content. No answer after the dot is 'later': it may come twice, never not at all.
import { limits } from '../base/limits.ts'
import type { Connection } from '../net/connection.ts'
import { type ConnectionErrorCode, isConnectionError } from '../net/connection-error.ts'
import { DataWriter } from '../smtp/data-writer.ts'
import { asciiDomain, formatMailbox, isAscii, needsSmtpUtf8, parseMailbox } from '../smtp/mailbox.ts'
import { asciiOriginalRecipient } from '../smtp/parameters.ts'
import { type ReceivedReply, ReplyError, ReplyParser } from '../smtp/reply.ts'
import { encodeXtext } from '../smtp/xtext.ts'
import { type Capabilities, maxSizeOf, parseCapabilities } from './capabilities.ts'
import { type Step, verdictOf } from './classify.ts'
import { SmtpClientError } from './client-error.ts'
import { encodeTo7Bit } from './encode-7bit.ts'
import type { OutgoingMessage, OutgoingRecipient, Verdict } from './outgoing.ts'
import type { TlsDemand } from './tls-policy.ts'

export interface ClientOptions {
  /** The name of the server, for TLS and for reports. */
  readonly host: string
  /** Our name. */
  readonly hostname: string
  readonly tls: TlsDemand
  readonly login?: { readonly user: string; readonly password: string } | undefined
}

/** The content to send, once it fits what the server takes. */
interface Fitted {
  readonly message: OutgoingMessage
  readonly isBinary: boolean
}

const minute = 60_000
/** RFC 5321 §4.5.3.2. */
const timeoutsMs = {
  greeting: 5 * minute,
  hello: 5 * minute,
  tls: 2 * minute,
  auth: 2 * minute,
  mail: 5 * minute,
  rcpt: 5 * minute,
  data: 2 * minute,
  block: 3 * minute,
  end: 10 * minute,
  quit: minute / 4,
} as const

export class SmtpClient {
  readonly connection: Connection
  readonly host: string
  readonly #options: ClientOptions
  #capabilities: Capabilities = parseCapabilities([])
  #parser = new ReplyParser()
  #messages = 0
  /** Whether the server awaits a new MAIL. */
  #isIdle = false

  private constructor(connection: Connection, options: ClientOptions) {
    this.connection = connection
    this.host = options.host
    this.#options = options
  }

  /** Greets over a new connection, with TLS and log-in. Throws SmtpClientError with the connection destroyed. */
  static async start(connection: Connection, options: ClientOptions): Promise<SmtpClient> {
    const client = new SmtpClient(connection, options)
    try {
      await client.#start()
      return client
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  /** Whether another message may be sent on this connection. */
  get isReusable(): boolean {
    return this.#isIdle && !this.connection.isClosed && this.#messages < limits.smtp.messagesPerConnection
  }

  /** One verdict for each recipient, in order. Throws SmtpClientError when nothing was sent: another server may be asked. */
  async send(
    message: OutgoingMessage,
    recipients: readonly OutgoingRecipient[],
  ): Promise<readonly Verdict[]> {
    this.#messages++
    const verdicts: (Verdict | undefined)[] = recipients.map(recipient =>
      this.#refuseAddress(message, recipient),
    )
    const open = recipients.filter((_, index) => verdicts[index] === undefined)
    if (open.length > 0) {
      const found = await this.#sendTo(message, open)
      for (const [index, recipient] of recipients.entries()) {
        if (verdicts[index] === undefined) verdicts[index] = found[open.indexOf(recipient)]
      }
    }
    return verdicts as readonly Verdict[]
  }

  /** Says goodbye and ends. Never throws. */
  async quit(): Promise<void> {
    try {
      this.connection.write('QUIT\r\n')
      await this.#reply(timeoutsMs.quit)
    } catch {
      // Whatever the server does now, all is said.
    }
    this.connection.destroy()
  }

  async #start(): Promise<void> {
    const { tls, login } = this.#options
    this.#expect(await this.#reply(timeoutsMs.greeting, 'greeting'), 'greeting')
    await this.#hello()
    if (tls.kind === 'opportunistic' || tls.kind === 'required') {
      const isOffered = this.#capabilities.has('STARTTLS')
      if (isOffered) await this.#startTls(tls)
      else if (tls.kind === 'required') throw this.#error('later', 454, '4.7.4', 'The server offers no TLS')
    }
    if (login) await this.#logIn(login)
    this.#isIdle = true
  }

  async #hello(): Promise<void> {
    const { hostname } = this.#options
    const reply = await this.#command(`EHLO ${hostname}`, timeoutsMs.hello, 'hello')
    if (reply.code >= 200 && reply.code < 300) {
      this.#capabilities = parseCapabilities(reply.lines)
      return
    }
    // RFC 5321 §3.2: an old server.
    if (reply.code >= 500 && reply.code < 600) {
      this.#expect(await this.#command(`HELO ${hostname}`, timeoutsMs.hello, 'hello'), 'hello')
      this.#capabilities = parseCapabilities([])
      return
    }
    this.#expect(reply, 'hello')
  }

  async #startTls(tls: TlsDemand & { kind: 'opportunistic' | 'required' }): Promise<void> {
    const reply = await this.#command('STARTTLS', timeoutsMs.tls, 'tls')
    if (reply.code !== 220) {
      if (tls.kind === 'required') this.#expect({ ...reply, code: Math.max(400, reply.code) }, 'tls')
      return
    }
    // Answers that came in the clear behind the 220 are dropped by the connection (CVE-2021-38371 and its like).
    try {
      await this.connection.startTlsAsClient(tls.options)
    } catch (error) {
      throw this.#error('later', 0, '4.7.5', 'TLS could not be agreed on', error)
    }
    this.#parser = new ReplyParser()
    // RFC 3207 §4.2: what was said before is forgotten.
    await this.#hello()
  }

  /** RFC 4954; RFC 4616. */
  async #logIn({ user, password }: { readonly user: string; readonly password: string }): Promise<void> {
    const offered = this.#capabilities.parametersOf('AUTH').map(name => name.toUpperCase())
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    if (offered.includes('PLAIN')) {
      const response = base64(`\0${user}\0${password}`)
      this.#expect(await this.#command(`AUTH PLAIN ${response}`, timeoutsMs.auth, 'auth'), 'auth')
      return
    }
    if (!offered.includes('LOGIN'))
      throw this.#error('later', 0, '4.7.0', 'The server offers no way to log in that we know')
    for (const line of ['AUTH LOGIN', base64(user), base64(password)]) {
      const reply = await this.#command(line, timeoutsMs.auth, 'auth')
      if (reply.code !== 334) return this.#expect(reply, 'auth')
    }
    throw this.#error('later', 0, '4.5.0', 'The server asks for too much at log-in')
  }

  /** Addresses that this server can't take. RFC 6531 §3.2, §3.5. */
  #refuseAddress(message: OutgoingMessage, { address }: OutgoingRecipient): Verdict | undefined {
    if (this.#capabilities.has('SMTPUTF8')) return undefined
    const isUtf8 =
      message.smtpUtf8 || (message.mailFrom !== '' && needsSmtpUtf8(parseMailbox(message.mailFrom)))
    if (isUtf8) return this.#verdict('failed', 554, '5.6.9', 'The server takes no internationalized messages')
    if (needsSmtpUtf8(parseMailbox(address)))
      return this.#verdict('failed', 553, '5.6.7', 'The server takes no internationalized addresses')
    return undefined
  }

  async #sendTo(
    message: OutgoingMessage,
    recipients: readonly OutgoingRecipient[],
  ): Promise<readonly Verdict[]> {
    const fitted = await this.#fit(message)
    // RFC 1870 §6.1: not sent in vain.
    if (fitted.message.sizeBytes > maxSizeOf(this.#capabilities)) {
      const tooLarge = this.#verdict('failed', 552, '5.3.4', 'The message is larger than the server takes')
      return recipients.map(() => tooLarge)
    }
    const { mail, rcpts } = await this.#envelope(fitted, recipients)
    const accepted = rcpts.filter(({ kind }) => kind === 'delivered').length
    if (mail.kind !== 'delivered' || accepted === 0) {
      await this.#reset()
      return mail.kind === 'delivered' ? rcpts : recipients.map(() => mail)
    }
    const end = await this.#content(fitted)
    const hasDsn = this.#capabilities.has('DSN')
    return rcpts.map(verdict => (verdict.kind === 'delivered' ? { ...end, hasDsn } : verdict))
  }

  /** Makes the message one that the server can take. */
  async #fit(message: OutgoingMessage): Promise<Fitted> {
    const { bodyType } = message
    const takesBinary = this.#capabilities.has('BINARYMIME') && this.#capabilities.has('CHUNKING')
    if (bodyType === 'BINARYMIME' && takesBinary) return { message, isBinary: true }
    const takes8Bit = this.#capabilities.has('8BITMIME')
    if (bodyType === '7BIT' || (bodyType === '8BITMIME' && takes8Bit)) return { message, isBinary: false }
    // RFC 6152 §3, RFC 3030 §3: else it has to be encoded.
    const chunks: Buffer[] = []
    for await (const chunk of message.read()) chunks.push(chunk)
    const encoded = encodeTo7Bit(Buffer.concat(chunks))
    return {
      message: {
        ...message,
        bodyType: '7BIT',
        sizeBytes: encoded.length,
        // eslint-disable-next-line require-yield -- one piece
        async *read() {
          yield encoded
        },
      },
      isBinary: false,
    }
  }

  /** MAIL and RCPT: in one write with PIPELINING (RFC 2920), else one after the other. */
  async #envelope({ message }: Fitted, recipients: readonly OutgoingRecipient[]) {
    const mailLine = this.#mailLine(message, recipients)
    const rcptLines = recipients.map(recipient => this.#rcptLine(recipient))
    this.#isIdle = false
    const isPipelined = this.#capabilities.has('PIPELINING')
    if (isPipelined) this.connection.write([mailLine, ...rcptLines].map(line => `${line}\r\n`).join(''))
    const answer = async (line: string, step: 'mail' | 'rcpt') =>
      isPipelined ? this.#reply(timeoutsMs[step], step) : this.#command(line, timeoutsMs[step], step)
    const mail = verdictOf(await answer(mailLine, 'mail'), 'mail', this.host)
    const rcpts: Verdict[] = []
    for (const line of rcptLines) {
      if (mail.kind !== 'delivered' && !isPipelined) break
      rcpts.push(verdictOf(await answer(line, 'rcpt'), 'rcpt', this.host))
    }
    return { mail, rcpts }
  }

  #mailLine(message: OutgoingMessage, recipients: readonly OutgoingRecipient[]): string {
    const has = (keyword: string) => this.#capabilities.has(keyword)
    const isUtf8 =
      message.smtpUtf8 || ![message.mailFrom, ...recipients.map(({ address }) => address)].every(isAscii)
    const words = [`MAIL FROM:<${message.mailFrom === '' ? '' : this.#wireAddress(message.mailFrom)}>`]
    if (has('SIZE')) words.push(`SIZE=${message.sizeBytes}`)
    if (has('8BITMIME') && message.bodyType !== '7BIT') words.push(`BODY=${message.bodyType}`)
    if (has('SMTPUTF8') && isUtf8) words.push('SMTPUTF8')
    if (has('DSN') && message.ret) words.push(`RET=${message.ret}`)
    if (has('DSN') && message.envelopeId !== undefined) words.push(`ENVID=${encodeXtext(message.envelopeId)}`)
    return checkLine(words.join(' '))
  }

  #rcptLine({ address, notify, originalRecipient }: OutgoingRecipient): string {
    const words = [`RCPT TO:<${this.#wireAddress(address)}>`]
    if (this.#capabilities.has('DSN')) {
      if (notify !== undefined) words.push(`NOTIFY=${notify === '' ? 'NEVER' : notify}`)
      if (originalRecipient !== undefined) {
        const isUtf8 = this.#capabilities.has('SMTPUTF8')
        words.push(`ORCPT=${isUtf8 ? originalRecipient : asciiOriginalRecipient(originalRecipient)}`)
      }
    }
    return checkLine(words.join(' '))
  }

  /** RFC 6531 §3.7: A-labels for a server without SMTPUTF8. */
  #wireAddress(address: string): string {
    const mailbox = parseMailbox(address)
    return this.#capabilities.has('SMTPUTF8')
      ? formatMailbox(mailbox)
      : formatMailbox({ ...mailbox, domain: asciiDomain(mailbox.domain) })
  }

  async #content({ message, isBinary }: Fitted): Promise<Verdict> {
    if (isBinary) return this.#binaryContent(message)
    const goAhead = await this.#command('DATA', timeoutsMs.data, 'data')
    if (goAhead.code !== 354) {
      // A 2xx here is no answer to DATA.
      const code = goAhead.code < 400 ? 451 : goAhead.code
      await this.#reset()
      return verdictOf(
        { ...goAhead, code, status: code === goAhead.code ? goAhead.status : undefined },
        'data',
        this.host,
      )
    }
    const writer = new DataWriter('DATA')
    this.connection.setDeadline(timeoutsMs.block)
    await this.#guard('data', async () => {
      for await (const chunk of message.read()) {
        for (const piece of writer.push(chunk)) this.connection.write(piece)
        await this.connection.drain()
      }
      this.connection.write(writer.end())
    })
    return this.#end()
  }

  /** RFC 3030 §2: one chunk, its size said beforehand. */
  async #binaryContent(message: OutgoingMessage): Promise<Verdict> {
    this.connection.write(`BDAT ${message.sizeBytes} LAST\r\n`)
    this.connection.setDeadline(timeoutsMs.block)
    await this.#guard('data', async () => {
      for await (const chunk of message.read()) {
        this.connection.write(chunk)
        await this.connection.drain()
      }
    })
    return this.#end()
  }

  async #end(): Promise<Verdict> {
    const reply = await this.#reply(timeoutsMs.end, 'end', true)
    this.#isIdle = reply.code !== 421
    return verdictOf(reply, 'end', this.host)
  }

  async #reset(): Promise<void> {
    if (this.connection.isClosed) return
    const reply = await this.#command('RSET', timeoutsMs.hello, 'hello').catch(() => undefined)
    if (reply?.code === 250) this.#isIdle = true
    else this.connection.destroy()
  }

  async #command(line: string, timeoutMs: number, step: Step): Promise<ReceivedReply> {
    this.connection.write(`${checkLine(line)}\r\n`)
    return this.#reply(timeoutMs, step)
  }

  /** The next reply. Throws SmtpClientError, with the connection destroyed, when there is none. */
  #reply(timeoutMs: number, step: Step = 'end', isSent = false): Promise<ReceivedReply> {
    this.connection.setDeadline(timeoutMs)
    return this.#guard(
      step,
      async () => {
        for (;;) {
          const line = await this.connection.readLine(limits.smtp.replyLineBytes)
          if (line === undefined) throw this.#lost(step, isSent, 'the server hung up')
          const reply = this.#parser.push(line)
          if (!reply) continue
          // RFC 5321 §3.8: 421 at any time, and the server is going.
          if (reply.code === 421 && step !== 'greeting') {
            this.connection.destroy()
            throw new SmtpClientError(verdictOf(reply, step, this.host))
          }
          return reply
        }
      },
      isSent,
    )
  }

  async #guard<T>(step: Step, section: () => Promise<T>, isSent = false): Promise<T> {
    try {
      return await section()
    } catch (error) {
      this.#isIdle = false
      this.connection.destroy()
      if (error instanceof ReplyError) throw this.#error('later', 0, '4.5.0', error.message, error)
      if (isConnectionError(error)) throw this.#lost(step, isSent, reasons[error.code], error)
      throw error
    }
  }

  #lost(step: Step, isSent: boolean, why: string, cause?: unknown): SmtpClientError {
    const where = isSent ? 'before it confirmed the message' : `at ${step.toUpperCase()}`
    const verdict = this.#verdict('later', 0, '4.4.2', `Lost the connection ${where}: ${why}`)
    return new SmtpClientError({ ...verdict, ...(isSent && { mayHaveArrived: true }) }, { cause })
  }

  #expect(reply: ReceivedReply, step: Step): void {
    if (reply.code >= 200 && reply.code < 300) return
    throw new SmtpClientError({ ...verdictOf(reply, step, this.host), kind: 'later' })
  }

  #verdict(kind: Verdict['kind'], code: number, status: string, text: string): Verdict {
    return { kind, code, status, text, host: this.host }
  }

  #error(
    kind: Verdict['kind'],
    code: number,
    status: string,
    text: string,
    cause?: unknown,
  ): SmtpClientError {
    return new SmtpClientError(this.#verdict(kind, code, status, text), { cause })
  }
}

const reasons: Readonly<Record<ConnectionErrorCode, string>> = {
  LineTooLong: 'a line of the server has no end',
  DeadlineExceeded: 'the server is too slow',
  ConnectionClosed: 'the server hung up',
  TlsFailed: 'TLS failed',
  ConnectFailed: 'the server can not be reached',
}

/** The one place where a command becomes bytes: a line end in it would be a command of somebody else's. */
function checkLine(line: string): string {
  if (/[\x00-\x1f\x7f]/.test(line)) throw new Error('a command with a control character')
  return line
}
