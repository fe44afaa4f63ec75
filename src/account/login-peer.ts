// Where a log-in comes from.
import type { X509Certificate } from 'node:crypto'
import type { Scope } from './scope.ts'

/** What `net/tls-info.ts` knows of a TLS connection, as far as a log-in asks. */
export interface LoginTls {
  /** The client's certificate, only when its chain was verified. */
  readonly clientCertificate: X509Certificate | undefined
  channelBinding(type: 'tls-exporter' | 'tls-server-end-point' | 'tls-unique'): Buffer | undefined
}

export interface LoginPeer {
  readonly protocol: Scope
  /** The IP address; '' for a unix socket. */
  readonly address: string
  readonly isLoopback: boolean
  /** Whether TLS protects the connection. */
  readonly secure: boolean
  readonly tls?: LoginTls | undefined
}

/** The peer of a connection that speaks `protocol`, as it is now: ask again after STARTTLS. */
export function loginPeer(
  protocol: Scope,
  connection: {
    readonly remoteAddress: string
    readonly isLoopback: boolean
    readonly secure: boolean
    readonly tls: LoginTls | undefined
  },
): LoginPeer {
  return {
    protocol,
    address: connection.remoteAddress,
    isLoopback: connection.isLoopback,
    secure: connection.secure,
    tls: connection.tls,
  }
}
