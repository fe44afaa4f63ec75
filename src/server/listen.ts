// Where the server listens: the names of the doors, and ADDRESS:PORT as people write it. RFC 8314 §3, RFC 6409, RFC 2033.
import { isIPv4, isIPv6 } from 'node:net'

/** Each door's name, the protocol behind it, the port that IANA gave it and whether TLS comes first. */
export const doors = {
  imap: { protocol: 'imap', port: 143, implicitTls: false },
  imaps: { protocol: 'imap', port: 993, implicitTls: true },
  pop3: { protocol: 'pop3', port: 110, implicitTls: false },
  pop3s: { protocol: 'pop3', port: 995, implicitTls: true },
  smtp: { protocol: 'smtp', port: 25, implicitTls: false },
  submission: { protocol: 'submission', port: 587, implicitTls: false },
  submissions: { protocol: 'submission', port: 465, implicitTls: true },
  lmtp: { protocol: 'lmtp', port: 24, implicitTls: false },
  http: { protocol: 'http', port: 8080, implicitTls: false },
} as const

export type DoorName = keyof typeof doors
/** What is spoken behind a door. */
export type Protocol = (typeof doors)[DoorName]['protocol']

export const doorNames = Object.keys(doors) as readonly DoorName[]

/** A place to listen: an IP address (`::` is every address, of both families) with a port (0: any that is free), or the path of a unix socket. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** The addresses of each door that is to be opened. */
export type Listen = Readonly<Partial<Record<DoorName, readonly ListenAddress[]>>>

/**
 * Reads `127.0.0.1:143`, `[::1]:143`, `localhost:143`, `*:143` (every address) or `unix:/path`.
 * Throws an Error whose message says what was expected.
 */
export function parseListenAddress(text: string): ListenAddress {
  if (text.startsWith('unix:') || text.startsWith('/')) {
    const path = text.replace(/^unix:/, '')
    if (path === '' || path.includes('\0')) throw expected(text)
    return { kind: 'unix', path }
  }
  const colon = text.lastIndexOf(':')
  const digits = text.slice(colon + 1)
  if (colon < 1 || !/^\d{1,5}$/.test(digits)) throw expected(text)
  const port = Number(digits)
  if (port > 65_535) throw expected(text)
  return { kind: 'tcp', host: parseHost(text.slice(0, colon), text), port }
}

function parseHost(host: string, text: string): string {
  if (host === '*') return '::'
  if (host === 'localhost') return '127.0.0.1'
  if (host.startsWith('[') && host.endsWith(']') && isIPv6(host.slice(1, -1))) return host.slice(1, -1)
  if (isIPv4(host)) return host
  throw expected(text)
}

function expected(text: string): Error {
  return new Error(
    `expected ADDRESS:PORT such as 127.0.0.1:1143, [::1]:1143 or *:143 (every address), or unix:/path, got "${text}"`,
  )
}

/** `127.0.0.1:143`, `[::1]:143` or `unix:/path`. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** Reads the command line's `NAME=ADDRESS:PORT`, several times for several addresses. Throws an Error that says what was expected. */
export function parseListenOptions(options: readonly string[]): Listen {
  const listen: Partial<Record<DoorName, ListenAddress[]>> = {}
  for (const option of options) {
    const equals = option.indexOf('=')
    const name = option.slice(0, equals)
    if (equals < 1 || !isDoorName(name)) {
      throw new Error(
        `--listen ${option}: expected NAME=ADDRESS:PORT where NAME is one of ${doorNames.join(', ')}`,
      )
    }
    const list = (listen[name] ??= [])
    try {
      list.push(parseListenAddress(option.slice(equals + 1)))
    } catch (error) {
      throw new Error(`--listen ${option}: ${(error as Error).message}`, { cause: error })
    }
  }
  return listen
}

export function isDoorName(name: string): name is DoorName {
  return Object.hasOwn(doors, name)
}

/** Whether only this machine can reach it. */
export function isLocalOnly(address: ListenAddress): boolean {
  return address.kind === 'unix' || address.host === '::1' || address.host.startsWith('127.')
}
