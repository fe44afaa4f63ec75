// Accepts connections on one address, within its limits, and hands them out as `Connection`s.
//
// ALPACA: with implicit TLS the provider's ALPN names decide; a client that offers only other protocols is refused in the handshake.
import { createServer, type Server, type Socket } from 'node:net'
import { limits } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import { Connection, type Endpoints, type NetLimits, SocketEndpoints } from './connection.ts'
import type { Deadlines } from './deadlines.ts'
import { secureAsServer, type TlsProvider } from './handshake.ts'
import { isInNetworks, isLoopback, type Network, networkKey } from './ip.ts'
import { readProxyHeader } from './proxy-protocol.ts'
import type { TlsInfo } from './tls-info.ts'
import { turnQueue } from './turn-queue.ts'

/** Where to listen. `host` absent: every address, IPv6 and IPv4 in one socket where the system can. */
export type ListenAddress =
  | {
      readonly host?: string
      readonly port: number
      readonly reusePort?: boolean
      readonly ipv6Only?: boolean
    }
  | { readonly path: string }

export interface ListenerOptions {
  readonly address: ListenAddress
  readonly deadlines: Deadlines
  readonly log: Log
  /** Runs one session to its end. What it throws is logged, and the connection destroyed. */
  readonly handle: (connection: Connection) => Promise<void>
  /** Handshake first (ports 993, 995, 465). Without it the protocol may still `startTls`. */
  readonly implicitTls?: TlsProvider
  /** Networks whose proxies send a PROXY protocol header before anything else. Others are taken as they come. */
  readonly proxyNetworks?: readonly Network[]
  /** Said in the clear to a client over the limits, e.g. `421 4.7.0 Too many connections\r\n`. */
  readonly refusal?: string
  readonly limits?: Partial<NetLimits>
}

export class Listener {
  readonly #options: ListenerOptions
  readonly #limits: NetLimits
  readonly #server: Server
  /** Accepted, and not yet a `Connection`: their PROXY header or handshake is awaited. */
  readonly #arriving = new Set<Socket>()
  readonly #connections = new Set<Connection>()
  readonly #perNetwork = new Map<string, number>()
  /** Connections that have not come to their end yet, with what `stop` waits for. */
  #sessions = 0
  #onSessionsEnded: (() => void) | undefined
  #isStopping = false
  #refusals = 0
  #nextRefusalLine = -Infinity

  private constructor(options: ListenerOptions) {
    this.#options = options
    this.#limits = { ...limits.net, ...options.limits }
    // Paused: nothing is read before the limits, the PROXY header and the handshake have had their turn.
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true })
    this.#server.on('connection', socket => this.#accept(socket))
  }

  /** Listens; rejects with the system's error (EADDRINUSE, EACCES). */
  static async start(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options)
    const server = listener.#server
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen({ ...options.address, backlog: listener.#limits.backlog }, resolve)
    await promise
    server.off('error', reject)
    // EMFILE and its like while accepting: the connection is lost, the listener goes on.
    server.on('error', error => options.log.error({ err: error }, 'listener failed to accept'))
    return listener
  }

  /** What it listens on: the port that was found when 0 was asked for; a path for a unix socket. */
  get address(): { readonly host: string; readonly port: number } | { readonly path: string } {
    const address = this.#server.address()
    if (typeof address === 'string') return { path: address }
    if (address === null) throw new Error('the listener is stopped')
    return { host: address.address, port: address.port }
  }

  /** The TCP port. Throws for a unix socket. */
  get port(): number {
    const address = this.address
    if ('path' in address) throw new Error('a unix socket has no port')
    return address.port
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /**
   * Accepts no more, asks each session to end (`Connection.onShutdown`), and after `drainMs` destroys what is left.
   * Resolves when all connections are closed and all sessions have returned.
   */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true
    const closed = new Promise<void>(resolve => {
      this.#server.close(() => resolve())
    })
    for (const connection of this.#connections) connection.shutdown()
    for (const socket of this.#arriving) socket.destroy()
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy()
    }, drainMs)
    await closed
    if (this.#sessions > 0) {
      await new Promise<void>(resolve => {
        this.#onSessionsEnded = resolve
      })
    }
    clearTimeout(timer)
  }

  #accept(socket: Socket): void {
    socket.on('error', this.#onSocketError)
    if (this.#isStopping) {
      socket.destroy()
      return
    }
    const open = this.#arriving.size + this.#connections.size
    if (open >= this.#limits.connections) return this.#refuse(socket, 'connections')
    void this.#run(socket)
  }

  /** A socket's error is followed by 'close', which is where it is dealt with. */
  readonly #onSocketError = (error: Error): void => {
    this.#options.log.debug({ err: error }, 'socket error')
  }

  /** One connection from its first to its last, never rejecting. */
  async #run(socket: Socket): Promise<void> {
    this.#sessions++
    let connection: Connection | undefined
    try {
      connection = await this.#receive(socket)
      if (!connection) return
      await this.#options.handle(connection)
      connection.close()
      await connection.closed
    } catch (error) {
      this.#failed(socket, connection, asError(error))
      await connection?.closed
    } finally {
      if (--this.#sessions === 0) this.#onSessionsEnded?.()
    }
  }

  #failed(socket: Socket, connection: Connection | undefined, err: Error): void {
    const { log } = this.#options
    if (connection) {
      log.error({ err, connection: connection.id }, 'session failed')
      connection.destroy()
    } else {
      log.debug({ err }, 'connection ended before its session')
      socket.destroy()
    }
  }

  async #receive(socket: Socket): Promise<Connection | undefined> {
    this.#arriving.add(socket)
    // Before any wait: a socket that has closed has no addresses, and none is what a unix socket has.
    const direct = new SocketEndpoints(socket)
    try {
      if (!turnQueue.hasRoom()) await turnQueue.next()
      return await this.#arrive(socket, direct)
    } finally {
      this.#arriving.delete(socket)
    }
  }

  /** The connection behind its PROXY header and its handshake; undefined where there is none to be served. */
  async #arrive(socket: Socket, direct: Endpoints): Promise<Connection | undefined> {
    const isProxied = isInNetworks(direct.remoteAddress, this.#options.proxyNetworks ?? [])
    const endpoints = isProxied ? await readProxyHeader(socket, direct, this.#limits.proxyHeaderMs) : direct
    const release = this.#admit(endpoints)
    if (!release) {
      this.#refuse(socket, 'connectionsPerNetwork')
      return undefined
    }
    if (socket.closed) {
      release()
      return undefined
    }
    if (release !== ignore) socket.once('close', release)
    const { implicitTls } = this.#options
    const secured = implicitTls && (await secureAsServer(socket, implicitTls, this.#limits.handshakeMs))
    return this.#open(secured?.socket ?? socket, endpoints, secured?.info)
  }

  #open(socket: Socket, endpoints: Endpoints, tls: TlsInfo | undefined): Connection {
    const { deadlines, limits: changed } = this.#options
    const connection = new Connection(socket, {
      deadlines,
      endpoints,
      ...(tls && { tls }),
      ...(changed && { limits: changed }),
    })
    this.#connections.add(connection)
    connection.onClose(() => this.#connections.delete(connection))
    if (this.#isStopping) connection.shutdown()
    return connection
  }

  /** Counts a connection of its network; undefined when there are too many, else how to count it off. */
  #admit({ remoteAddress, isProxied }: Endpoints): (() => void) | undefined {
    if (!isProxied && (remoteAddress === '' || isLoopback(remoteAddress))) return ignore
    const key = networkKey(remoteAddress)
    const count = this.#perNetwork.get(key) ?? 0
    if (count >= this.#limits.connectionsPerNetwork) return undefined
    this.#perNetwork.set(key, count + 1)
    return () => {
      const left = (this.#perNetwork.get(key) ?? 1) - 1
      if (left > 0) this.#perNetwork.set(key, left)
      else this.#perNetwork.delete(key)
    }
  }

  /** One line in ten seconds: a flood of connections is not to become a flood of lines. */
  #logRefusal(remoteAddress: string | undefined, limit: string): void {
    this.#refusals++
    const now = this.#options.deadlines.now()
    if (now < this.#nextRefusalLine) return
    this.#nextRefusalLine = now + 10_000
    const fields = { remoteAddress, limit, refusals: this.#refusals }
    this.#refusals = 0
    this.#options.log.warn(fields, 'connections refused: over the limit')
  }

  #refuse(socket: Socket, limit: string): void {
    this.#logRefusal(socket.remoteAddress, limit)
    const { refusal, implicitTls } = this.#options
    if (refusal === undefined || implicitTls) {
      socket.destroy()
      return
    }
    socket.end(refusal, () => socket.destroy())
  }
}

function ignore(): void {}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** The first bytes of CONNECT, DELETE, GET, HEAD, OPTIONS, PATCH and PRI or POST or PUT, TRACE. */
const httpMethodInitials: readonly (number | undefined)[] = [...Buffer.from('CDGHOPT')]
const httpRequestLine = /^(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PRI) \S{0,8000} HTTP\/\d/

/**
 * Whether a line is the start of an HTTP request: a browser was sent here (ALPACA and its like). Close without an answer, for what we echo
 * would run as its script.
 */
export function isHttpRequestLine(line: Buffer): boolean {
  // Every line of every command is asked about, and few begin so.
  if (!httpMethodInitials.includes(line[0])) return false
  return httpRequestLine.test(line.toString('latin1', 0, 8192))
}
