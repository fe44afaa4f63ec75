// A small POP3 client of our own, and a server with one account behind it.
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { z } from 'zod'
import { createAccount, type Directory } from '../../src/account/directory.ts'
import type { Login } from '../../src/account/login.ts'
import type { AccountId, MailboxId } from '../../src/base/ids.ts'
import type { Log } from '../../src/base/log.ts'
import { silentMetrics } from '../../src/base/metrics.ts'
import { summarize } from '../../src/message/summary.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import type { TlsProvider } from '../../src/net/handshake.ts'
import { parseNetwork } from '../../src/net/ip.ts'
import { Listener } from '../../src/net/listener.ts'
import { PiecePool } from '../../src/net/piece-pool.ts'
import { pop3Config } from '../../src/pop3/config.ts'
import { allocateMaildropLocks, MaildropLocks } from '../../src/pop3/maildrop-locks.ts'
import { servePop3 } from '../../src/pop3/serve.ts'
import type { Pop3Context } from '../../src/pop3/session.ts'
import { noFlags } from '../../src/store/flags.ts'
import { findMailbox } from '../../src/store/read/mailboxes.ts'
import type { Store } from '../../src/store/store.ts'
import type { ManualClock } from '../account/manual-clock.ts'
import type { ConfigInput } from '../account/open-directory.ts'
import { openTestLogin, recordingLog } from '../account/open-login.ts'
import { testCertificate } from '../net/test-tls.ts'

export interface ServerOptions {
  readonly pop3?: z.input<typeof pop3Config>
  readonly account?: ConfigInput
  /** Off: there is no certificate. */
  readonly tls?: boolean
  /** Clients say with a PROXY header where they come from. */
  readonly behindProxy?: boolean
  readonly implicitTls?: boolean
  /** Moved by the test, for deadlines. */
  readonly deadlines?: Deadlines
}

export interface TestServer {
  readonly store: Store
  readonly directory: Directory
  readonly login: Login
  readonly clock: ManualClock
  readonly listener: Listener
  readonly port: number
  readonly logged: string[]
  readonly context: Pop3Context
  readonly account: AccountId
  /** Adds messages to INBOX. */
  deliver(...messages: readonly (string | Buffer)[]): Promise<void>
  /** Adds them to another's INBOX. */
  deliverTo(account: AccountId, ...messages: readonly (string | Buffer)[]): Promise<void>
  inbox(): Promise<MailboxId>
  /** A client that has read the greeting. */
  connect(): Promise<Client>
  /** A client that has logged in, as ann where nobody else is named. */
  logIn(name?: string): Promise<Client>
}

export const password = 'correct horse'

/** A server on a free port; the account is ann@example.org. */
export async function startServer(t: TestContext, options: ServerOptions = {}): Promise<TestServer> {
  const { login, directory, clock } = await openTestLogin(options.account)
  const { store } = directory
  const account = await createAccount(directory, { address: 'ann@example.org', password })
  const logged: string[] = []
  const log: Log = recordingLog(logged)
  const tls = options.tls === false ? undefined : await testTls()
  const context: Pop3Context = {
    store,
    login,
    clock,
    log,
    metrics: silentMetrics,
    config: { pop3: pop3Config.parse(options.pop3 ?? {}) },
    hostname: 'mail.example.org',
    tls,
    pieces: new PiecePool(),
    maildropLocks: new MaildropLocks(clock, allocateMaildropLocks(), store.nodes?.maildrops),
  }
  const listener = await Listener.start({
    address: { host: '127.0.0.1', port: 0 },
    deadlines: options.deadlines ?? new Deadlines(),
    log,
    handle: connection => servePop3(connection, context),
    ...(options.behindProxy === true ? { proxyNetworks: [parseNetwork('127.0.0.0/8')] } : {}),
    ...(options.implicitTls === true && tls ? { implicitTls: tls } : {}),
  })
  t.after(async () => {
    await listener.stop(0)
    await store.close()
  })
  const inbox = async () => (await findMailbox(store.reader, account, 'INBOX'))?.id as MailboxId
  const deliverTo = async (to: AccountId, ...messages: readonly (string | Buffer)[]) => {
    await store.mutate('appendMessages', {
      account: to,
      mailbox: (await findMailbox(store.reader, to, 'INBOX'))?.id as MailboxId,
      messages: messages.map(message => {
        const bytes = Buffer.from(message)
        return { body: store.bodyOf(bytes), email: summarize(bytes), flags: noFlags }
      }),
    })
  }
  const open = async () => {
    const client = await Client.connect(t, listener.port)
    await client.line()
    return client
  }
  const logIn = async (name = 'ann') => {
    const client = await open()
    await client.command(`USER ${name}`)
    const answer = await client.command(`PASS ${password}`)
    if (!answer.startsWith('+OK')) throw new Error(answer)
    return client
  }
  return {
    store,
    directory,
    login,
    clock,
    listener,
    port: listener.port,
    logged,
    context,
    account,
    deliver: (...messages) => deliverTo(account, ...messages),
    deliverTo,
    inbox,
    connect: open,
    logIn,
  }
}

let certificate: Promise<{ cert: string; key: string }> | undefined

async function testTls(): Promise<TlsProvider> {
  certificate ??= testCertificate('localhost')
  const { cert, key } = await certificate
  return { serverOptions: () => ({ cert, key }) }
}

/** Reads lines as bytes; a multi-line answer is unstuffed. */
export class Client {
  #socket: Socket
  #chunks: Buffer[] = []
  #isEnded = false
  #changed = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#listen(socket)
  }

  static async connect(t: TestContext, port: number): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1' })
    const client = new Client(socket)
    t.after(() => client.#socket.destroy())
    await once(socket, 'connect')
    return client
  }

  static over(t: TestContext, socket: TLSSocket): Client {
    t.after(() => socket.destroy())
    return new Client(socket)
  }

  #listen(socket: Socket): void {
    const change = () => {
      this.#changed.resolve()
      this.#changed = Promise.withResolvers()
    }
    const end = () => {
      this.#isEnded = true
      change()
    }
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      change()
    })
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', end)
  }

  /** All that has come and was not read. */
  get #input(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] as Buffer
  }

  set #input(rest: Buffer) {
    this.#chunks = [rest]
  }

  get socket(): Socket {
    return this.#socket
  }

  send(text: string | Buffer): void {
    this.#socket.write(text)
  }

  /** The next line without its CRLF; throws at the end. */
  async line(): Promise<string> {
    for (;;) {
      const at = this.#input.indexOf('\r\n')
      if (at !== -1) {
        const line = this.#input.toString('utf8', 0, at)
        this.#input = this.#input.subarray(at + 2)
        return line
      }
      if (this.#isEnded)
        throw new Error(`the connection ended after ${JSON.stringify(this.#input.toString())}`)
      await this.#changed.promise
    }
  }

  /** All that comes until the end. */
  async rest(): Promise<string> {
    while (!this.#isEnded) await this.#changed.promise
    const rest = this.#input.toString()
    this.#input = Buffer.alloc(0)
    return rest
  }

  /** Sends a command and gives its status line. */
  async command(text: string): Promise<string> {
    this.send(`${text}\r\n`)
    return this.line()
  }

  /** The lines of a multi-line answer, unstuffed, after its status line. */
  async lines(): Promise<string[]> {
    const body = await this.body()
    return body.length === 0 ? [] : body.toString('utf8', 0, body.length - 2).split('\r\n')
  }

  /** The bytes of a multi-line answer, unstuffed, without the dot. */
  async body(): Promise<Buffer> {
    let searched = 0
    for (;;) {
      const isEmpty = this.#input.subarray(0, 3).equals(Buffer.from('.\r\n'))
      const at = isEmpty ? 0 : this.#input.indexOf('\r\n.\r\n', Math.max(0, searched - 4))
      searched = this.#input.length
      if (at !== -1) {
        const stuffed = this.#input.subarray(0, isEmpty ? 0 : at + 2)
        this.#input = this.#input.subarray(isEmpty ? 3 : at + 5)
        return Buffer.from(stuffed.toString('latin1').replaceAll(/(^|\n)\./g, '$1'), 'latin1')
      }
      if (this.#isEnded) throw new Error('the connection ended in an answer')
      await this.#changed.promise
    }
  }

  /** A multi-line command: its status line, and its lines when it is positive. */
  async listing(text: string): Promise<{ status: string; lines: string[] }> {
    const status = await this.command(text)
    return { status, lines: status.startsWith('+OK') ? await this.lines() : [] }
  }

  /** RETR or TOP: the message. */
  async message(text: string): Promise<Buffer> {
    const status = await this.command(text)
    if (!status.startsWith('+OK')) throw new Error(status)
    return this.body()
  }

  /** Speaks TLS from here on. */
  async startTls(): Promise<void> {
    this.#socket.removeAllListeners()
    const socket = connectTls({ socket: this.#socket, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    this.#socket = socket
    this.#input = Buffer.alloc(0)
    this.#listen(socket)
  }

  /** Waits until the server has closed, and says whether it had more to say. */
  async closed(): Promise<boolean> {
    while (!this.#isEnded) await this.#changed.promise
    return this.#input.length === 0
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** A message of `lines` lines. */
export function letter(subject: string, lines = 3): string {
  const body = Array.from({ length: lines }, (_, i) => `line ${i + 1}\r\n`).join('')
  return `From: bob@example.com\r\nTo: ann@example.org\r\nSubject: ${subject}\r\n\r\n${body}`
}
