// A small client for tests: sends lines, reads until what it waits for has come.
import { connect, type Socket } from 'node:net'

export class LineClient {
  readonly socket: Socket
  #received = ''
  #wake: (() => void) | undefined
  #isEnded = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      this.#received += chunk
      this.#wake?.()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#isEnded = true
      this.#wake?.()
    })
  }

  static async connect(port: number): Promise<LineClient> {
    const socket = connect(port, '127.0.0.1')
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new LineClient(socket)
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** All that has come up to and with the first match; throws when the connection ends before. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.#received)
      if (match) {
        const end = match.index + match[0].length
        const taken = this.#received.slice(0, end)
        this.#received = this.#received.slice(end)
        return taken
      }
      if (this.#isEnded) throw new Error(`ended before ${String(pattern)}: ${JSON.stringify(this.#received)}`)
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  /** Resolves with what is left when the peer has closed. */
  async untilEnd(): Promise<string> {
    while (!this.#isEnded) await new Promise<void>(resolve => (this.#wake = resolve))
    return this.#received
  }

  end(): void {
    this.socket.destroy()
  }
}

/** Sends one message by SMTP or LMTP; the reply to its end. */
export async function sendMail(
  port: number,
  from: string,
  to: string,
  message: string,
  hello = 'EHLO',
): Promise<string> {
  const client = await LineClient.connect(port)
  await client.until(/^220 .*\r\n/m)
  client.send(`${hello} client.example\r\n`)
  await client.until(/^250 .*\r\n/m)
  client.send(`MAIL FROM:<${from}>\r\n`)
  await client.until(/^250 .*\r\n/m)
  client.send(`RCPT TO:<${to}>\r\n`)
  const recipient = await client.until(/^\d{3} .*\r\n/m)
  if (!recipient.startsWith('2')) {
    client.end()
    return recipient
  }
  client.send('DATA\r\n')
  await client.until(/^354.*\r\n/m)
  client.send(`${message.replaceAll(/\r?\n/g, '\r\n')}\r\n.\r\n`)
  const reply = await client.until(/^\d{3} .*\r\n/m)
  client.end()
  return reply
}
