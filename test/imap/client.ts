// A small IMAP client for tests: it says what it is told, byte for byte, and gives the server's lines as they came.
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw } from 'node:zlib'

/** What a command was answered. Lines are Latin-1, without their CRLF; a literal stands in its line as it came. */
export interface Answer {
  readonly untagged: readonly string[]
  readonly tagged: string
  /** The tagged line's word: OK, NO or BAD. */
  readonly status: string
}

export class ImapClient {
  readonly socket: Socket
  readonly greeting: string
  #input = Buffer.alloc(0)
  #wake: (() => void) | undefined
  #isEnded = false
  #tag = 0
  #deflate: DeflateRaw | undefined

  private constructor(socket: Socket, greeting: string) {
    this.socket = socket
    this.greeting = greeting
    socket.on('data', (chunk: Buffer) => {
      this.#input = Buffer.concat([this.#input, chunk])
      this.#wake?.()
    })
    for (const event of ['end', 'error', 'close']) socket.on(event, this.#end)
  }

  readonly #end = () => {
    this.#isEnded = true
    this.#wake?.()
  }

  static async connect(port: number): Promise<ImapClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const client = new ImapClient(socket, '')
    const greeting = await client.line()
    return Object.assign(client, { greeting: greeting ?? '' })
  }

  /** Sends bytes as they are. */
  send(data: string | Buffer): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    if (!this.#deflate) {
      this.socket.write(bytes)
      return
    }
    this.#deflate.write(bytes)
    this.#deflate.flush(constants.Z_SYNC_FLUSH)
  }

  /** Speaks DEFLATE from here on, both ways (RFC 4978). */
  startCompression(): void {
    // The server closes the connection without an end of his deflate stream.
    const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH })
    this.#deflate = createDeflateRaw()
    this.#deflate.pipe(this.socket)
    this.socket.removeAllListeners('data')
    // What has arrived is inflated later: the end is that of the text.
    for (const event of ['end', 'close']) this.socket.off(event, this.#end)
    this.socket.pipe(inflate)
    inflate.on('close', this.#end)
    inflate.on('data', (chunk: Buffer) => {
      this.#input = Buffer.concat([this.#input, chunk])
      this.#wake?.()
    })
    inflate.on('error', () => this.socket.destroy())
  }

  /** The next response, with its literals; undefined at the end. */
  async line(): Promise<string | undefined> {
    let text = ''
    for (;;) {
      const end = await this.#find()
      if (end < 0) return text === '' ? undefined : text
      const line = this.#take(end + 2).toString('latin1', 0, end)
      text += line
      const literal = /~?\{(\d+)\}$/.exec(line)
      if (!literal) return text
      const size = Number(literal[1])
      while (this.#input.length < size && !this.#isEnded) await this.#more()
      text += `\r\n${this.#take(size).toString('latin1')}`
    }
  }

  /** Reads up to the tagged line of `tag`. */
  async answer(tag: string): Promise<Answer> {
    const untagged: string[] = []
    for (;;) {
      const line = await this.line()
      if (line === undefined)
        throw new Error(`the connection ended before ${tag}; so far: ${untagged.join(' | ')}`)
      if (line.startsWith(`${tag} `)) {
        return { untagged, tagged: line.slice(tag.length + 1), status: line.split(' ')[1] ?? '' }
      }
      untagged.push(line)
    }
  }

  /** Sends a command (the tag is added) and reads its answer. Literals `{n}` must be non-synchronizing in `text`, or use `literal`. */
  async command(text: string): Promise<Answer> {
    const tag = `t${++this.#tag}`
    this.send(`${tag} ${text}\r\n`)
    return this.answer(tag)
  }

  /** A command that must succeed; its untagged lines. */
  async ok(text: string): Promise<readonly string[]> {
    const { status, tagged, untagged } = await this.command(text)
    if (status !== 'OK') throw new Error(`${text}: ${tagged}`)
    return untagged
  }

  /** APPENDs `message` with a non-synchronizing literal. */
  async append(mailbox: string, message: string | Buffer, before = ''): Promise<Answer> {
    const bytes = typeof message === 'string' ? Buffer.from(message, 'latin1') : message
    const tag = `t${++this.#tag}`
    this.send(
      Buffer.concat([
        Buffer.from(`${tag} APPEND ${mailbox} ${before}{${bytes.length}+}\r\n`),
        bytes,
        Buffer.from('\r\n'),
      ]),
    )
    return this.answer(tag)
  }

  async login(name = 'alice@example.test', password = 'secret'): Promise<void> {
    await this.ok(`LOGIN ${name} ${password}`)
  }

  end(): void {
    this.socket.destroy()
  }

  async #find(): Promise<number> {
    for (;;) {
      const at = this.#input.indexOf('\r\n')
      if (at >= 0) return at
      if (this.#isEnded) return -1
      await this.#more()
    }
  }

  #more(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
      if (this.#isEnded) resolve()
    })
  }

  #take(count: number): Buffer {
    const taken = this.#input.subarray(0, count)
    this.#input = this.#input.subarray(count)
    return taken
  }
}
