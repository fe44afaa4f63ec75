// A mail server of somebody else that behaves as a test wants: well, or in any bad way.
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createSecureContext, TLSSocket } from 'node:tls'
import { testCertificate } from '../net/test-tls.ts'

export const hangUp = Symbol('hang up')
export const silence = Symbol('say nothing any more')

/** What is done at a point of the session in place of the usual answer; a string is sent, with CRLF. */
export type Misdeed = string | typeof hangUp | typeof silence | ((socket: Socket) => void)

export interface Received {
  readonly helo: string
  readonly mailLine: string
  readonly rcptLines: readonly string[]
  /** Undotted. */
  readonly content: string
  readonly isSecure: boolean
}

export interface RemoteOptions {
  readonly greeting?: Misdeed
  /** Keywords behind EHLO. */
  readonly extensions?: readonly string[]
  readonly ehlo?: Misdeed
  readonly mail?: Misdeed
  /** By address. */
  readonly rcpt?: Readonly<Record<string, Misdeed>>
  readonly data?: Misdeed
  /** After the dot. */
  readonly end?: Misdeed
  /** Hangs up after this many bytes of content. */
  readonly hangUpAfterBytes?: number
  readonly starttls?: Misdeed
  /** Sent in the clear in one packet with the 220 to STARTTLS. */
  readonly injected?: string
  readonly auth?: Misdeed
  /** Replies leave a byte at a time. */
  readonly isSlow?: boolean
}

export interface RemoteServer {
  readonly port: number
  /** Change it to let the server behave otherwise from the next command on. */
  options: RemoteOptions
  readonly received: Received[]
  /** Every line that came, of all sessions. */
  readonly lines: string[]
  connections: number
  /** Resolves when so many messages have been received. */
  arrived(count: number): Promise<void>
  /** Called with each message. */
  onReceived: () => void
}

/** Listens on loopback until the test ends. */
export async function remoteServer(t: TestContext, options: RemoteOptions = {}): Promise<RemoteServer> {
  const { cert, key } = await testCertificate('mail.remote.example')
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    remote.connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    new RemoteSession(remote, socket, createSecureContext({ cert, key }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>(resolve => server.close(() => resolve()))
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const remote: RemoteServer = {
    port,
    options,
    received: [],
    lines: [],
    connections: 0,
    onReceived: () => {},
    async arrived(count) {
      while (remote.received.length < count) {
        await new Promise<void>(resolve => {
          remote.onReceived = resolve
        })
      }
    },
  }
  return remote
}

class RemoteSession {
  readonly #remote: RemoteServer
  readonly #secureContext: ReturnType<typeof createSecureContext>
  #socket: Socket
  #text = ''
  #helo = ''
  #mailLine = ''
  #rcptLines: string[] = []
  #mode: 'commands' | 'data' | 'user' | 'password' = 'commands'
  #bdatBytes = 0
  #isSecure = false
  readonly #slowBytes: string[] = []

  constructor(remote: RemoteServer, socket: Socket, secureContext: ReturnType<typeof createSecureContext>) {
    this.#remote = remote
    this.#secureContext = secureContext
    this.#socket = socket
    this.#listen(socket)
    this.#answer(remote.options.greeting, '220 mail.remote.example ESMTP')
  }

  #listen(socket: Socket): void {
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      this.#work()
    })
  }

  #work(): void {
    for (;;) {
      if (this.#bdatBytes > 0) {
        if (this.#text.length < this.#bdatBytes) return
        const content = this.#text.slice(0, this.#bdatBytes)
        this.#text = this.#text.slice(this.#bdatBytes)
        this.#bdatBytes = 0
        this.#finish(content)
        continue
      }
      if (this.#mode === 'data') {
        const { hangUpAfterBytes } = this.#remote.options
        if (hangUpAfterBytes !== undefined && this.#text.length > hangUpAfterBytes) {
          this.#socket.destroy()
          return
        }
        const end = this.#text.startsWith('.\r\n') ? 0 : this.#text.indexOf('\r\n.\r\n') + 2
        if (end === 1) return
        const content = this.#text.slice(0, end).replaceAll('\r\n.', '\r\n').replace(/^\./, '')
        this.#text = this.#text.slice(end + 3)
        this.#mode = 'commands'
        this.#finish(content)
        continue
      }
      const newline = this.#text.indexOf('\r\n')
      if (newline === -1) return
      const line = this.#text.slice(0, newline)
      this.#text = this.#text.slice(newline + 2)
      this.#remote.lines.push(line)
      this.#command(line)
    }
  }

  #command(line: string): void {
    const { options } = this.#remote
    const verb = line.split(/[ :]/)[0]?.toUpperCase() ?? ''
    if (this.#mode === 'user') {
      this.#mode = 'password'
      return this.#answer(undefined, '334 UGFzc3dvcmQ6')
    }
    if (this.#mode === 'password') {
      this.#mode = 'commands'
      return this.#answer(options.auth, '235 2.7.0 welcome')
    }
    switch (verb) {
      case 'EHLO': {
        this.#helo = line.slice(5)
        const extensions = (options.extensions ?? ['PIPELINING', '8BITMIME', 'SIZE 10000000']).filter(
          one => one !== 'STARTTLS' || !this.#isSecure,
        )
        const lines = ['mail.remote.example', ...extensions]
        return this.#answer(
          options.ehlo,
          lines.map((text, i) => `250${i === lines.length - 1 ? ' ' : '-'}${text}`).join('\r\n'),
        )
      }
      case 'HELO':
        this.#helo = line.slice(5)
        return this.#answer(undefined, '250 mail.remote.example')
      case 'STARTTLS':
        this.#answer(options.starttls, `220 go${options.injected ?? ''}`)
        if (options.starttls === undefined) this.#startTls()
        return
      case 'AUTH':
        if (line.startsWith('AUTH LOGIN')) {
          this.#mode = 'user'
          return this.#answer(undefined, '334 VXNlcm5hbWU6')
        }
        return this.#answer(options.auth, '235 2.7.0 welcome')
      case 'MAIL':
        this.#mailLine = line
        this.#rcptLines = []
        return this.#answer(options.mail, '250 2.1.0 ok')
      case 'RCPT': {
        const misdeed = options.rcpt?.[/<(.*)>/.exec(line)?.[1] ?? '']
        if (misdeed === undefined) this.#rcptLines.push(line)
        return this.#answer(misdeed, '250 2.1.5 ok')
      }
      case 'DATA':
        if (options.data === undefined) this.#mode = 'data'
        return this.#answer(options.data, '354 go on')
      case 'BDAT':
        this.#bdatBytes = Number(line.split(' ')[1])
        return
      case 'RSET':
        return this.#answer(undefined, '250 2.0.0 ok')
      case 'QUIT':
        this.#answer(undefined, '221 2.0.0 bye')
        this.#socket.end()
        return
      default:
        return this.#answer(undefined, '500 5.5.1 what?')
    }
  }

  #finish(content: string): void {
    const { end } = this.#remote.options
    if (end === undefined || typeof end !== 'string' || !/^[45]/.test(end))
      this.#remote.received.push({
        helo: this.#helo,
        mailLine: this.#mailLine,
        rcptLines: this.#rcptLines,
        content,
        isSecure: this.#isSecure,
      })
    this.#remote.onReceived()
    this.#answer(end, '250 2.0.0 taken')
  }

  #answer(misdeed: Misdeed | undefined, usual: string): void {
    if (misdeed === silence) return
    if (misdeed === hangUp) {
      this.#socket.destroy()
      return
    }
    if (typeof misdeed === 'function') return misdeed(this.#socket)
    const text = `${misdeed ?? usual}\r\n`
    if (!this.#remote.options.isSlow) {
      this.#socket.write(text)
      return
    }
    this.#slowBytes.push(...text.split(''))
    if (this.#slowBytes.length === text.length) this.#writeByte()
  }

  #writeByte(): void {
    const [byte] = this.#slowBytes
    if (byte === undefined || this.#socket.destroyed) return
    this.#socket.write(byte, () =>
      setImmediate(() => {
        this.#slowBytes.shift()
        this.#writeByte()
      }),
    )
  }

  #startTls(): void {
    const plain = this.#socket
    plain.removeAllListeners('data')
    const secured = new TLSSocket(plain, { isServer: true, secureContext: this.#secureContext })
    this.#socket = secured
    this.#text = ''
    this.#isSecure = true
    this.#listen(secured)
  }
}
