// A raw IMAP client for benchmarks and drills: text in, bytes out, one write per command. RFC 9051.
import { type Endpoint, Stream } from './stream.ts'

/** What the server said to one command. */
export interface Reply {
  /** Everything up to and including the tagged line. */
  readonly bytes: Buffer
  /** The tagged line without its tag, such as `OK [READ-WRITE] Done`. */
  readonly status: string
}

/** The server answered NO or BAD. */
export class RefusedError extends Error {
  readonly status: string

  constructor(command: string, status: string) {
    super(`${command}: ${status}`)
    this.status = status
  }
}

let connections = 0

export class ImapClient {
  readonly #stream: Stream
  // A tag that no message holds by chance, since only the end of what arrives is searched for it.
  readonly #prefix = `qz${(connections++).toString(36)}x`
  #count = 0

  private constructor(stream: Stream) {
    this.#stream = stream
  }

  /** Connects and reads the greeting. */
  static async connect(endpoint: Endpoint): Promise<ImapClient> {
    const stream = await Stream.connect(endpoint)
    await stream.until(endOfLine)
    return new ImapClient(stream)
  }

  static async login(endpoint: Endpoint, user: string, password: string): Promise<ImapClient> {
    const client = await ImapClient.connect(endpoint)
    await client.run(`LOGIN ${quote(user)} ${quote(password)}`)
    return client
  }

  get isOpen(): boolean {
    return this.#stream.isOpen
  }

  get receivedBytes(): number {
    return this.#stream.receivedBytes
  }

  /** Sends a command (which may hold LITERAL+ literals) and gives the whole answer, whatever it is. */
  async ask(command: string | Buffer | readonly Buffer[]): Promise<Reply> {
    const tag = this.#send(command)
    const bytes = join(await this.#stream.until(tagged(tag)))
    const at = bytes.lastIndexOf(`${tag} `)
    return { bytes, status: bytes.toString('latin1', at + tag.length + 1, bytes.length - 2) }
  }

  /** Like ask(), but an answer other than OK is an error. */
  async run(command: string | Buffer | readonly Buffer[]): Promise<Reply> {
    const reply = await this.ask(command)
    if (!reply.status.startsWith('OK')) throw new RefusedError(describe(command), reply.status)
    return reply
  }

  /** Runs a command whose answer is only counted; gives its bytes. */
  async drain(command: string): Promise<number> {
    const before = this.#stream.receivedBytes
    const tag = this.#send(command)
    const last = join(await this.#stream.until(tagged(tag), false))
    const at = last.lastIndexOf(`${tag} `)
    if (!last.toString('latin1', at + tag.length + 1).startsWith('OK')) {
      throw new RefusedError(command, last.toString('latin1', at))
    }
    return this.#stream.receivedBytes - before
  }

  /** Sends all commands in one write, waits for the last answer and holds that all were OK. */
  async pipeline(commands: readonly string[]): Promise<Buffer> {
    const tags = commands.map(() => this.#nextTag())
    this.#stream.write(commands.map((command, at) => `${tags[at]} ${command}\r\n`).join(''))
    const bytes = join(await this.#stream.until(tagged(tags.at(-1) ?? '')))
    const refused = bytes.toString('latin1').match(new RegExp(`^${this.#prefix}\\d+ (?:NO|BAD).*`, 'm'))
    if (refused !== null) throw new RefusedError('a pipelined command', refused[0])
    return bytes
  }

  /** APPENDs messages with one command (RFC 3502 where there are several) and non-synchronising literals (RFC 7888). */
  append(mailbox: string, messages: readonly Buffer[], flags = ''): Promise<Reply> {
    const parts: Buffer[] = [Buffer.from(`APPEND ${quote(mailbox)}`)]
    for (const message of messages) parts.push(Buffer.from(` (${flags}) `), literal(message))
    return this.run(parts)
  }

  /** Starts IDLE (RFC 2177) and resolves once the server has said `+`. */
  async idle(): Promise<void> {
    this.#send('IDLE')
    await this.#stream.until(tail => {
      const at = tail.indexOf('+')
      return at < 0 ? undefined : afterLine(tail, at)
    })
  }

  /** Ends IDLE. */
  async done(): Promise<void> {
    this.#stream.write('DONE\r\n')
    await this.#stream.until(tagged(`${this.#prefix}${this.#count}`))
  }

  /** Resolves at the first untagged line that ends with this text, such as ` EXISTS`. */
  async heard(text: string): Promise<Buffer> {
    const chunks = await this.#stream.until(tail => {
      const at = tail.indexOf(`${text}\r\n`)
      return at < 0 ? undefined : at + text.length + 2
    })
    return join(chunks)
  }

  async logout(): Promise<void> {
    await this.run('LOGOUT')
    this.#stream.destroy()
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#stream.destroy()
  }

  #nextTag(): string {
    return `${this.#prefix}${++this.#count}`
  }

  #send(command: string | Buffer | readonly Buffer[]): string {
    const tag = this.#nextTag()
    if (typeof command === 'string') this.#stream.write(`${tag} ${command}\r\n`)
    else if (Buffer.isBuffer(command))
      this.#stream.write(Buffer.concat([Buffer.from(`${tag} `), command, crlf]))
    else this.#stream.write(Buffer.concat([Buffer.from(`${tag} `), ...command, crlf]))
    return tag
  }
}

/** A non-synchronising literal (RFC 7888); a literal8 where there are NULs (RFC 9051 §4.3.1, §6.3.12). */
function literal(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.includes(0) ? '~' : ''}{${bytes.length}+}\r\n`), bytes])
}

const crlf = Buffer.from('\r\n')

/** A quoted string (RFC 9051 §4.3). */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

function join(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
}

function describe(command: string | Buffer | readonly Buffer[]): string {
  const first = typeof command === 'string' ? command : Buffer.isBuffer(command) ? command : command[0]
  return first?.toString('latin1').slice(0, 100) ?? ''
}

function endOfLine(tail: Buffer): number | undefined {
  return afterLine(tail, 0)
}

function afterLine(tail: Buffer, from: number): number | undefined {
  const at = tail.indexOf('\r\n', from)
  return at < 0 ? undefined : at + 2
}

/** Finds the end of the tagged line of `tag` near the end of what has arrived. */
function tagged(tag: string): (tail: Buffer) => number | undefined {
  const start = `${tag} `
  const inside = `\r\n${start}`
  return tail => {
    if (tail.length < start.length || tail[tail.length - 1] !== 10) return undefined
    if (tail.subarray(0, start.length).toString('latin1') === start) return afterLine(tail, 0)
    const at = tail.lastIndexOf(inside)
    return at < 0 ? undefined : afterLine(tail, at + 2)
  }
}
