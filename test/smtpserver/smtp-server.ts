// A server of all three services over an empty store in memory, and a raw client that says exactly what a test wants said.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls'
import { accountConfigSchema } from '../../src/account/config.ts'
import { createAccount, createDomain, type Directory, openDirectory } from '../../src/account/directory.ts'
import { Login } from '../../src/account/login.ts'
import { LoginLimiter } from '../../src/account/login-limiter.ts'
import type { AccountId } from '../../src/base/ids.ts'
import { ByteBudget } from '../../src/base/byte-budget.ts'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { limits } from '../../src/base/limits.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { silentMetrics } from '../../src/base/metrics.ts'
import { deliveryConfigSchema } from '../../src/delivery/config.ts'
import type { Connection } from '../../src/net/connection.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import type { TlsProvider } from '../../src/net/handshake.ts'
import { Listener, type ListenerOptions } from '../../src/net/listener.ts'
import { queueConfigSchema } from '../../src/queue/config.ts'
import { smtpServerConfigSchema } from '../../src/smtpserver/config.ts'
import type { SmtpContext, SmtpService } from '../../src/smtpserver/context.ts'
import { serveLmtp, serveSmtp, serveSubmission } from '../../src/smtpserver/serve.ts'
import type { Quota, Store } from '../../src/store/store.ts'
import { openTestStore } from '../open-test-store.ts'
import { testCertificate } from '../net/test-tls.ts'

export interface TestServerOptions {
  readonly smtp?: Record<string, unknown>
  readonly delivery?: Record<string, unknown>
  readonly queue?: Record<string, unknown>
  readonly account?: Record<string, unknown>
  readonly defaultQuota?: Quota
  readonly clock?: Clock
  readonly log?: Log
  readonly tls?: boolean
  readonly store?: Store
  readonly deadlines?: Deadlines
  readonly listener?: Partial<ListenerOptions>
  /** What the sessions see in place of the connection's own facts, e.g. a stranger's address. */
  readonly disguise?: (connection: Connection) => Connection
}

export interface TestServer {
  readonly store: Store
  readonly directory: Directory
  readonly context: SmtpContext
  readonly ann: AccountId
  readonly bob: AccountId
  open(service: SmtpService, options?: Partial<ListenerOptions>): Promise<Listener>
  /** A client that has read the greeting. */
  client(service?: SmtpService): Promise<Client>
  /** The whole messages of an account's mailbox, in order of arrival. */
  messages(account: AccountId, mailbox?: string): Promise<string[]>
}

const serve = { smtp: serveSmtp, submission: serveSubmission, lmtp: serveLmtp } as const

export const password = 'correct horse'

/** Has example.org with ann, bob and an administrator, and the alias team@ for both of them. */
export async function openServer(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const clock = options.clock ?? systemClock
  const log = options.log ?? silentLog
  const store = options.store ?? (await openTestStore({ clock, defaultQuota: options.defaultQuota }))
  if (!options.store) t.after(() => store.close())
  const account = accountConfigSchema.parse({
    addressing: { defaultDomain: 'example.org' },
    login: { hash: { memoryKib: 8, passes: 1 } },
    ...options.account,
  })
  const directory = openDirectory(store, account)
  await createDomain(directory, 'example.org')
  const ann = await createAccount(directory, { address: 'ann@example.org', password })
  const bob = await createAccount(directory, { address: 'bob@example.org', password })
  await createAccount(directory, { address: 'root@example.org', isAdmin: true })
  const context: SmtpContext = {
    store,
    directory,
    clock,
    log,
    metrics: silentMetrics,
    hostname: 'mx.example.org',
    largeMessages: new ByteBudget(limits.smtp.largeMessagesBytes),
    login: new Login({
      directory,
      limiter: new LoginLimiter(clock, account.login.limiter),
      clock,
      log,
      metrics: silentMetrics,
      hostname: 'mx.example.org',
      sleep: () => Promise.resolve(),
    }),
    ...(options.tls !== false && { tls: await tlsProvider() }),
    config: {
      smtp: smtpServerConfigSchema.parse({ greetingDelayMs: 0, ...options.smtp }),
      delivery: deliveryConfigSchema.parse(options.delivery ?? {}),
      queue: queueConfigSchema.parse(options.queue ?? {}),
    },
  }
  const deadlines = options.deadlines ?? new Deadlines()
  const open = async (service: SmtpService, changes: Partial<ListenerOptions> = {}) => {
    const listener = await Listener.start({
      address: { host: '127.0.0.1', port: 0 },
      deadlines,
      log: silentLog,
      handle: connection => serve[service](options.disguise?.(connection) ?? connection, context),
      ...options.listener,
      ...changes,
    })
    t.after(() => listener.stop(0))
    return listener
  }
  const listeners = new Map<SmtpService, Promise<Listener>>()
  return {
    store,
    directory,
    context,
    ann,
    bob,
    open,
    async client(service = 'smtp') {
      const listener = listeners.get(service) ?? open(service)
      listeners.set(service, listener)
      return Client.connect(t, (await listener).port)
    },
    async messages(of, mailbox = 'INBOX') {
      const rows = await store.reader.all<{ blob: Uint8Array }>(
        `SELECT e.blob AS blob FROM message m JOIN email e ON e.account = m.account AND e.id = m.email
         JOIN mailbox b ON b.account = m.account AND b.id = m.mailbox WHERE m.account = ? AND b.name = ? ORDER BY m.uid`,
        of,
        mailbox,
      )
      const found: string[] = []
      for (const { blob } of rows) {
        const bytes = await store.readBody(of, Buffer.from(blob).toString('hex') as never)
        found.push(bytes.toString('latin1'))
      }
      return found
    },
  }
}

let certificate: ReturnType<typeof testCertificate> | undefined

/** A self-signed certificate for mx.example.org. */
export async function tlsProvider(): Promise<TlsProvider> {
  certificate ??= testCertificate('mx.example.org')
  const { cert, key } = await certificate
  return { serverOptions: () => ({ secureContext: createSecureContext({ cert, key }) }) }
}

export class Client {
  #socket: Socket | TLSSocket
  #text = ''
  #isEnded = false
  #changed = Promise.withResolvers<void>()
  /** Chunks as they came: one write of the server is one of them on loopback. */
  chunks: string[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#listen(socket)
  }

  static async connect(t: TestContext, port: number): Promise<Client> {
    const client = await Client.open(t, port)
    await client.reply()
    return client
  }

  /** Connected, with the greeting unread. */
  static async open(t: TestContext, port: number): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    return new Client(socket)
  }

  #listen(socket: Socket): void {
    const change = () => {
      this.#changed.resolve()
      this.#changed = Promise.withResolvers()
    }
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      this.chunks.push(chunk.toString('latin1'))
      change()
    })
    const end = () => {
      if (socket !== this.#socket) return
      this.#isEnded = true
      change()
    }
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', end)
  }

  /** Sends text (Latin-1) or bytes as they are. */
  send(data: string | Buffer): void {
    this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The next reply, its lines joined by `\n`; '' at the end. */
  async reply(): Promise<string> {
    const lines: string[] = []
    for (;;) {
      const newline = this.#text.indexOf('\r\n')
      if (newline === -1) {
        if (this.#isEnded) return lines.join('\n')
        await this.#changed.promise
        continue
      }
      const line = this.#text.slice(0, newline)
      this.#text = this.#text.slice(newline + 2)
      lines.push(line)
      if (line[3] !== '-') return lines.join('\n')
    }
  }

  /** Sends one line, gives the reply. */
  async say(line: string): Promise<string> {
    this.send(`${line}\r\n`)
    return this.reply()
  }

  /** Sends lines one by one, gives the codes (with enhanced status) of the replies. */
  async codes(...lines: string[]): Promise<string[]> {
    const codes: string[] = []
    for (const line of lines) codes.push(codeOf(await this.say(line)))
    return codes
  }

  /** EHLO or LHLO, MAIL, RCPT…, DATA, content: the reply to the content. */
  async deliver(content: string, from: string, ...to: string[]): Promise<string> {
    for (const line of [`MAIL FROM:<${from}>`, ...to.map(one => `RCPT TO:<${one}>`)]) {
      const reply = await this.say(line)
      if (!reply.startsWith('250')) return reply
    }
    const goAhead = await this.say('DATA')
    if (!goAhead.startsWith('354')) return goAhead
    this.send(`${content}\r\n.\r\n`)
    return this.reply()
  }

  /** `injected` goes out in the clear, in one packet with STARTTLS. */
  async startTls(injected = ''): Promise<void> {
    this.send(`STARTTLS\r\n${injected}`)
    const reply = await this.reply()
    if (!reply.startsWith('220')) throw new Error(reply)
    const plain = this.#socket
    plain.removeAllListeners('data')
    const secured = connectTls({ socket: plain, rejectUnauthorized: false, servername: 'mx.example.org' })
    this.#socket = secured
    this.#text = ''
    await once(secured, 'secureConnect')
    this.#listen(secured)
  }

  /** Resolves when the server has ended the connection; what it said before. */
  async rest(): Promise<string> {
    while (!this.#isEnded) await this.#changed.promise
    return this.#text
  }
}

/** `250 2.1.0` of `250 2.1.0 OK`. */
export function codeOf(reply: string): string {
  const match = /^(\d{3})[ -](?:(\d\.\d+\.\d+)(?= |$))?/.exec(reply)
  return match?.[2] === undefined ? (match?.[1] ?? reply) : `${match[1]} ${match[2]}`
}

export function plainResponse(user: string, secret: string): string {
  return Buffer.from(`\0${user}\0${secret}`).toString('base64')
}
