// Where the database is: `postgres://user:password@host:port,host:port/database`, its options and its TLS.
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { StoreError } from '../error.ts'
import type { DatabaseTls } from './place.ts'
import type { SessionTarget } from './session.ts'

const defaultPort = 5432

/** The hosts to try, in order; with several, the one that can write serves. Throws `StoreError` `unavailable` for an address that is not one. */
export function parseTarget(url: string, tls: DatabaseTls = { mode: 'auto' }): readonly SessionTarget[] {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)\/([^?#]+)$/.exec(url)
  if (!match) {
    throw new StoreError(
      'unavailable',
      "the store's address is not like postgres://USER:PASSWORD@HOST:PORT/DATABASE",
    )
  }
  const [, login = '', hosts = '', database = ''] = match
  const colon = login.indexOf(':')
  const user = decode(colon < 0 ? login : login.slice(0, colon))
  const password = colon < 0 ? undefined : decode(login.slice(colon + 1))
  return hosts.split(',').map(place => {
    const { host, port } = parsePlace(place)
    return {
      host,
      port,
      user: user === '' ? 'restante' : user,
      password,
      database: decode(database),
      tls: tlsOptions(tls, host),
    }
  })
}

/** `host`, `host:5433`, `[::1]:5433`, or `%2Frun%2Fpostgresql` for the folder of a unix socket. */
function parsePlace(place: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(place)
  const port = match?.[3] === undefined ? defaultPort : Number(match[3])
  if (!match || port === 0 || port > 65_535)
    throw new StoreError('unavailable', "the store's address has a host that is not one")
  const host = match[1] ?? decode(match[2] ?? '')
  return { host: host === '' ? 'localhost' : host, port }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw new StoreError('unavailable', "the store's address has a % that is no escape", { cause: error })
  }
}

function tlsOptions(tls: DatabaseTls, host: string): ConnectionOptions | undefined {
  if (tls.mode === 'off' || host.startsWith('/')) return undefined
  if (tls.mode === 'auto' && isThisMachine(host)) return undefined
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file))
  const ca = read(tls.caFile)
  const cert = read(tls.certFile)
  const key = read(tls.keyFile)
  return {
    rejectUnauthorized: tls.mode !== 'require',
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  }
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
