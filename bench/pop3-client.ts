// A raw POP3 client for benchmarks. RFC 1939.
import { type Endpoint, Stream } from './stream.ts'

export class Pop3Client {
  readonly #stream: Stream

  private constructor(stream: Stream) {
    this.#stream = stream
  }

  static async login(endpoint: Endpoint, user: string, password: string): Promise<Pop3Client> {
    const stream = await Stream.connect(endpoint)
    await stream.until(endOfLine)
    const client = new Pop3Client(stream)
    await client.ask(`USER ${user}`)
    await client.ask(`PASS ${password}`)
    return client
  }

  /** A command with a one-line answer; -ERR is an error. */
  async ask(line: string): Promise<string> {
    this.#stream.write(`${line}\r\n`)
    const answer = Buffer.concat(await this.#stream.until(endOfLine))
      .toString('latin1')
      .trimEnd()
    if (!answer.startsWith('+OK')) throw new Error(`${line}: ${answer}`)
    return answer
  }

  /** A command with a multi-line answer, as it came: the +OK line, the dot-stuffed lines, the dot (RFC 1939 §3). */
  async askLines(line: string): Promise<Buffer> {
    this.#stream.write(`${line}\r\n`)
    const answer = Buffer.concat(await this.#stream.until(endOfLines))
    if (!answer.subarray(0, 3).equals(ok)) throw new Error(`${line}: ${answer.toString('latin1', 0, 100)}`)
    return answer
  }

  async quit(): Promise<void> {
    await this.ask('QUIT')
    this.#stream.destroy()
  }

  destroy(): void {
    this.#stream.destroy()
  }
}

const ok = Buffer.from('+OK')

function endOfLine(tail: Buffer): number | undefined {
  const at = tail.indexOf('\r\n')
  return at < 0 ? undefined : at + 2
}

/** A lone dot ends the answer; an -ERR has one line only. */
function endOfLines(tail: Buffer): number | undefined {
  if (tail.subarray(0, 4).toString('latin1') === '-ERR') return endOfLine(tail)
  if (tail.subarray(-5).toString('latin1') === '\r\n.\r\n') return tail.length
  return undefined
}
