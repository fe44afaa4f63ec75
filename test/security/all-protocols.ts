// Every mail protocol over one store, on free ports, with all that the server's log would write kept for the test to read.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { z } from 'zod'
import { accountConfigSchema } from '../../src/account/config.ts'
import { createAccount, createDomain, type Directory, openDirectory } from '../../src/account/directory.ts'
import { Login } from '../../src/account/login.ts'
import { LoginLimiter } from '../../src/account/login-limiter.ts'
import { Ascending } from '../../src/base/ascending.ts'
import { ByteBudget } from '../../src/base/byte-budget.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { AccountId } from '../../src/base/ids.ts'
import { limits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Metrics, silentMetrics } from '../../src/base/metrics.ts'
import { deliveryConfigSchema } from '../../src/delivery/config.ts'
import { imapConfig } from '../../src/imap/config.ts'
import { RowsAhead } from '../../src/imap/fetch/rows-ahead.ts'
import { serveImap } from '../../src/imap/serve.ts'
import { OrderCache } from '../../src/imap/sort/order-cache.ts'
import type { Connection } from '../../src/net/connection.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { parseNetwork } from '../../src/net/ip.ts'
import { Listener } from '../../src/net/listener.ts'
import { PiecePool } from '../../src/net/piece-pool.ts'
import { pop3Config } from '../../src/pop3/config.ts'
import { MaildropLocks } from '../../src/pop3/maildrop-locks.ts'
import { servePop3 } from '../../src/pop3/serve.ts'
import { queueConfigSchema } from '../../src/queue/config.ts'
import { smtpServerConfigSchema } from '../../src/smtpserver/config.ts'
import { serveLmtp, serveSmtp, serveSubmission } from '../../src/smtpserver/serve.ts'
import { openStore } from '../../src/store/open-store.ts'
import { startWriter } from '../../src/store/sqlite/start-writer.ts'
import type { Store } from '../../src/store/store.ts'
import { createLog } from '../../src/server/log.ts'
import { testCertificate } from '../net/test-tls.ts'
import { temporaryFolder } from '../store/fixture.ts'

export const protocols = ['imap', 'pop3', 'smtp', 'submission', 'lmtp'] as const
export type Protocol = (typeof protocols)[number]

export const password = 'correct horse'

export interface Options {
  /** In memory by default; beside a writer thread, as the server runs it. */
  readonly place?: 'memory' | 'disk'
  readonly account?: z.input<typeof accountConfigSchema>
  readonly deadlines?: Deadlines
  /** In place of listeners that take connections as they come: a PROXY header says who the client is. */
  readonly proxied?: boolean
  readonly smtp?: Record<string, unknown>
  readonly metrics?: Metrics
  readonly largeMessages?: ByteBudget
  /** Instead of one that is made here. */
  readonly store?: Store
}

export interface Servers {
  readonly store: Store
  readonly directory: Directory
  readonly ann: AccountId
  readonly bob: AccountId
  readonly logged: readonly string[]
  readonly login: Login
  port(protocol: Protocol): number
  /** Open connections of a protocol, as the server sees it. */
  open(protocol: Protocol): number
  /** Connected, and the greeting read (not where a PROXY header comes first). */
  connect(protocol: Protocol): Promise<Peer>
  /** The same, logged in as ann or bob where there is a log-in; after EHLO where there is one. */
  enter(protocol: Protocol, name?: string): Promise<Peer>
}

export async function startAll(t: TestContext, options: Options = {}): Promise<Servers> {
  const logged: string[] = []
  const log = createLog({
    level: 'debug',
    format: 'json',
    write(line) {
      logged.push(line)
    },
  })
  const account = accountConfigSchema.parse({
    addressing: { defaultDomain: 'example.org' },
    login: { hash: { memoryKib: 8, passes: 1 } },
    ...options.account,
  })
  const metrics = options.metrics ?? silentMetrics
  const store = options.store ?? (await openPlace(t, options.place ?? 'memory'))
  const directory = openDirectory(store, account)
  await createDomain(directory, 'example.org')
  const ann = await createAccount(directory, { address: 'ann@example.org', password })
  const bob = await createAccount(directory, { address: 'bob@example.org', password })
  const certificate = await testCertificate('mail.example.org')
  const login = new Login({
    directory,
    limiter: new LoginLimiter(systemClock, account.login.limiter),
    clock: systemClock,
    log,
    metrics,
    hostname: 'mail.example.org',
    sleep: () => Promise.resolve(),
  })
  const context = {
    store,
    directory,
    login,
    clock: systemClock,
    log,
    metrics,
    hostname: 'mail.example.org',
    orders: new OrderCache(),
    pieces: new PiecePool(),
    ascending: new Ascending(),
    rowsAhead: new RowsAhead(),
    tls: { serverOptions: () => certificate },
    maildropLocks: new MaildropLocks(systemClock),
    largeMessages: options.largeMessages ?? new ByteBudget(limits.smtp.largeMessagesBytes),
    config: {
      imap: imapConfig.parse({}),
      pop3: pop3Config.parse({}),
      smtp: smtpServerConfigSchema.parse({ greetingDelayMs: 0, ...options.smtp }),
      delivery: deliveryConfigSchema.parse({}),
      queue: queueConfigSchema.parse({}),
    },
  }
  const serve: Record<Protocol, (connection: Connection) => Promise<void>> = {
    imap: connection => serveImap(connection, context),
    pop3: connection => servePop3(connection, context),
    smtp: connection => serveSmtp(connection, context),
    submission: connection => serveSubmission(connection, context),
    lmtp: connection => serveLmtp(connection, context),
  }
  const deadlines = options.deadlines ?? new Deadlines()
  const listeners = new Map<Protocol, Listener>()
  for (const protocol of protocols) {
    const listener = await Listener.start({
      address: { host: '127.0.0.1', port: 0 },
      deadlines,
      log,
      handle: serve[protocol],
      ...(options.proxied && { proxyNetworks: [parseNetwork('127.0.0.0/8')] }),
    })
    listeners.set(protocol, listener)
  }
  t.after(async () => {
    for (const listener of listeners.values()) await listener.stop(0)
  })
  const port = (protocol: Protocol) => listeners.get(protocol)?.port as number
  const connectTo = async (protocol: Protocol) => {
    const peer = await Peer.connect(t, port(protocol))
    if (!options.proxied) await peer.until(/\r\n$/)
    return peer
  }
  const enter = async (protocol: Protocol, name = 'ann') => {
    const peer = await connectTo(protocol)
    for (const [command, answer] of entrance(protocol, name)) await peer.ask(command, answer)
    return peer
  }
  const open = (protocol: Protocol) => listeners.get(protocol)?.connectionCount ?? 0
  return { store, directory, ann, bob, logged, login, port, open, connect: connectTo, enter }
}

async function openPlace(t: TestContext, place: 'memory' | 'disk'): Promise<Store> {
  if (place === 'memory') {
    const store = await openStore({ memory: true })
    t.after(() => store.close())
    return store
  }
  const dataDir = temporaryFolder(t)
  const writer = await startWriter(dataDir)
  const store = await openStore({ dataDir, port: writer.connect() }, { log: silentLog })
  t.after(async () => {
    await store.close()
    await writer.close()
  })
  return store
}

function entrance(protocol: Protocol, name: string): readonly (readonly [command: string, answer: RegExp])[] {
  const plain = Buffer.from(`\0${name}\0${password}`).toString('base64')
  switch (protocol) {
    case 'imap':
      return [[`x LOGIN ${name} "${password}"`, /^x OK.*\r\n$/m]]
    case 'pop3':
      return [
        [`USER ${name}`, /^\+OK.*\r\n$/m],
        [`PASS ${password}`, /^\+OK.*\r\n$/m],
      ]
    case 'smtp':
      return [['EHLO client.example', /^250 .*\r\n$/m]]
    case 'submission':
      return [
        ['EHLO client.example', /^250 .*\r\n$/m],
        [`AUTH PLAIN ${plain}`, /^235.*\r\n$/m],
      ]
    case 'lmtp':
      return [['LHLO client.example', /^250 .*\r\n$/m]]
  }
}

/** Something that each protocol answers in any state, and what it says. */
export const harmless: Readonly<Record<Protocol, readonly [command: string, answer: RegExp]>> = {
  imap: ['n NOOP', /^n OK.*\r\n$/m],
  pop3: ['CAPA', /^\.\r\n$/m],
  smtp: ['NOOP', /^250.*\r\n$/m],
  submission: ['NOOP', /^250.*\r\n$/m],
  lmtp: ['NOOP', /^250.*\r\n$/m],
}

/** One end of a connection, which says and hears bytes as they are. */
export class Peer {
  socket: Socket
  #text = ''
  #isEnded = false
  #changed = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.socket = socket
    this.#listen(socket)
  }

  static async connect(t: TestContext, port: number): Promise<Peer> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    const peer = new Peer(socket)
    t.after(() => peer.socket.destroy())
    return peer
  }

  /** Whether the other side has ended the connection. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** What was heard and not taken. */
  get heard(): string {
    return this.#text
  }

  send(data: string | Buffer): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
  }

  /** Sends bytes, waiting as long as the system does not take them; false when the other side has hung up. */
  async push(data: Buffer): Promise<boolean> {
    if (this.socket.destroyed || this.#isEnded) return false
    if (this.socket.write(data)) return true
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const event of ['drain', 'close', 'error']) this.socket.once(event, resolve)
    if (!this.socket.destroyed) await promise
    for (const event of ['drain', 'close', 'error']) this.socket.off(event, resolve)
    return !this.socket.destroyed && !this.#isEnded
  }

  /** Sends a line, and gives what is heard until `answer` fits it. */
  ask(line: string, answer: RegExp): Promise<string> {
    this.send(`${line}\r\n`)
    return this.until(answer)
  }

  /** Takes what is heard once `pattern` fits it. Throws when the connection ends before. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#text)) {
      if (this.#isEnded)
        throw new Error(`the connection ended after ${JSON.stringify(this.#text.slice(-500))}`)
      await this.#changed.promise
    }
    const text = this.#text
    this.#text = ''
    return text
  }

  /** All that is heard until the other side ends. */
  async rest(): Promise<string> {
    while (!this.#isEnded) await this.#changed.promise
    const text = this.#text
    this.#text = ''
    return text
  }

  /** Speaks TLS from here on. */
  async startTls(): Promise<void> {
    this.socket.removeAllListeners()
    this.#text = ''
    const socket = connectTls({ socket: this.socket, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    this.socket = socket
    this.#listen(socket)
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
      this.#text += chunk.toString('latin1')
      change()
    })
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', end)
  }
}

/** Whether a session of `protocol` that began before still answers: nobody else's doing has hurt it. */
export async function goesOn(peer: Peer, protocol: Protocol): Promise<void> {
  await peer.ask(...harmless[protocol])
}
