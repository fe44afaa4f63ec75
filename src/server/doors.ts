// The open doors of one thread: a listener for each address, and the session that begins behind it.
import { chmodSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Log } from '../base/log.ts'
import type { Connection } from '../net/connection.ts'
import type { Deadlines } from '../net/deadlines.ts'
import type { Network } from '../net/ip.ts'
import { Listener, type ListenAddress as NetAddress } from '../net/listener.ts'
import type { CertificateStore } from '../net/tls.ts'
import { providerFor } from './certificates.ts'
import { isWithoutIpv6 } from './ipv6.ts'
import {
  doors,
  type DoorName,
  formatListenAddress,
  type Listen,
  type ListenAddress,
  type Protocol,
} from './listen.ts'

/** What is spoken over a Connection; HTTP has its own server. */
export type MailProtocol = Exclude<Protocol, 'http'>

export interface DoorsOptions {
  readonly listen: Listen
  /** Shares each port with other threads. */
  readonly reusePort: boolean
  readonly deadlines: Deadlines
  readonly log: Log
  readonly certificates: CertificateStore
  /** Of load balancers that speak the PROXY protocol. */
  readonly proxyNetworks: readonly Network[]
  /** Runs one session to its end. */
  readonly serve: (connection: Connection, protocol: MailProtocol) => Promise<void>
}

/** Said to a client over the limits. */
const refusals: Readonly<Record<MailProtocol, string>> = {
  imap: '* BYE [UNAVAILABLE] Too many connections, try again later\r\n',
  pop3: '-ERR [SYS/TEMP] Too many connections, try again later\r\n',
  smtp: '421 4.7.0 Too many connections, try again later\r\n',
  submission: '421 4.7.0 Too many connections, try again later\r\n',
  lmtp: '421 4.7.0 Too many connections, try again later\r\n',
}

/** A door could not be opened. */
export class DoorError extends Error {
  readonly door: DoorName
  readonly code: string

  constructor(door: DoorName, address: ListenAddress, cause: NodeJS.ErrnoException) {
    const where = formatListenAddress(address)
    super(`${door} cannot listen on ${where}: ${adviceOn(door, cause)}`, { cause })
    this.name = 'DoorError'
    this.door = door
    this.code = cause.code ?? 'unknown'
  }
}

function adviceOn(door: DoorName, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return `another program holds it. Stop that program, or choose another port: --listen ${door}=127.0.0.1:${doors[door].port + 1000}`
    case 'EACCES':
      return `ports below 1024 need a privilege. Start it as root with \`user\` in the configuration, by systemd (docs/operating.md), or choose another port: --listen ${door}=127.0.0.1:${doors[door].port + 1000}`
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address'
    default:
      return message
  }
}

export class Doors {
  readonly #listeners: { readonly door: DoorName; readonly listener: Listener }[] = []

  /** Opens all, or none: throws DoorError. */
  static async open(options: DoorsOptions): Promise<Doors> {
    const opened = new Doors()
    try {
      for (const [name, addresses] of Object.entries(options.listen)) {
        const door = name as DoorName
        const { protocol } = doors[door]
        if (protocol === 'http') continue
        for (const address of addresses) {
          opened.#listeners.push({ door, listener: await listenOn(door, protocol, address, options) })
        }
      }
    } catch (error) {
      await opened.stop(0)
      throw error
    }
    return opened
  }

  /** Where they listen, with the ports that were found where 0 was asked for. */
  get addresses(): Listen {
    const addresses: Partial<Record<DoorName, ListenAddress[]>> = {}
    for (const { door, listener } of this.#listeners) {
      const address = listener.address
      const list = (addresses[door] ??= [])
      if ('path' in address) list.push({ kind: 'unix', path: address.path })
      else list.push({ kind: 'tcp', host: address.host, port: address.port })
    }
    return addresses
  }

  /** What is spoken behind them. */
  get protocols(): ReadonlySet<Protocol> {
    return new Set(this.#listeners.map(({ door }) => doors[door].protocol))
  }

  /** Open connections by door. */
  *connectionCounts(): Iterable<readonly [DoorName, number]> {
    for (const { door, listener } of this.#listeners) yield [door, listener.connectionCount]
  }

  /** Accepts no more, tells the sessions, and after `drainMs` destroys what is left of them. */
  async stop(drainMs: number): Promise<void> {
    await Promise.all(this.#listeners.map(({ listener }) => listener.stop(drainMs)))
  }
}

async function listenOn(
  door: DoorName,
  protocol: MailProtocol,
  address: ListenAddress,
  { reusePort, deadlines, log, certificates, proxyNetworks, serve }: DoorsOptions,
): Promise<Listener> {
  const { implicitTls } = doors[door]
  if (address.kind === 'unix') await rm(address.path, { force: true })
  try {
    const listener = await Listener.start({
      address: netAddress(address, reusePort),
      deadlines,
      log: log.child({ door }),
      proxyNetworks,
      handle: connection => serve(connection, protocol),
      ...(implicitTls && { implicitTls: providerFor(certificates, protocol) }),
      refusal: refusals[protocol],
    })
    if (address.kind === 'unix') chmodSync(address.path, 0o660)
    return listener
  } catch (error) {
    throw new DoorError(door, address, error as NodeJS.ErrnoException)
  }
}

function netAddress(address: ListenAddress, reusePort: boolean): NetAddress {
  if (address.kind === 'unix') return { path: address.path }
  const host = isWithoutIpv6(address.host) ? '0.0.0.0' : address.host
  return { host, port: address.port, reusePort }
}
