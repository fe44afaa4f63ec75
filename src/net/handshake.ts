// The TLS handshake on a socket that is already connected, as server or as client: implicit TLS and STARTTLS alike.
import type { Socket } from 'node:net'
import {
  type ConnectionOptions as TlsClientOptions,
  connect,
  TLSSocket,
  type TLSSocketOptions,
} from 'node:tls'
import { ConnectionError } from './connection-error.ts'
import { type TlsInfo, tlsInfoOf } from './tls-info.ts'

/** Where a server's TLS settings come from at each handshake, so that a reloaded certificate is used at once. */
export type TlsProvider = { readonly serverOptions: () => TLSSocketOptions }

export interface Secured {
  readonly socket: TLSSocket
  readonly info: TlsInfo
}

/** Speaks TLS as the server. The raw socket must have no 'data' listener; what it has buffered is taken as the ClientHello. */
export async function secureAsServer(
  raw: Socket,
  provider: TlsProvider,
  timeoutMs: number,
): Promise<Secured> {
  if (raw.destroyed) throw new ConnectionError('TlsFailed', 'TLS handshake failed: the peer has gone')
  const socket = new TLSSocket(raw, {
    ...provider.serverOptions(),
    isServer: true,
    rejectUnauthorized: false,
  })
  await handshake(raw, socket, 'secure', timeoutMs)
  return { socket, info: tlsInfoOf(socket, true, isClientVerified(socket)) }
}

/** Speaks TLS as the client, by the rules of `node:tls` (`rejectUnauthorized`, `servername`, `checkServerIdentity`). */
export async function secureAsClient(
  raw: Socket,
  options: TlsClientOptions,
  timeoutMs: number,
): Promise<Secured> {
  const socket = connect({ ...options, socket: raw })
  await handshake(raw, socket, 'secureConnect', timeoutMs)
  return { socket, info: tlsInfoOf(socket, false, socket.authorized) }
}

function handshake(raw: Socket, socket: TLSSocket, event: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error('timed out')), timeoutMs)
    const done = () => {
      clearTimeout(timer)
      socket.off(event, succeed)
      socket.off('error', fail)
      socket.off('close', closed)
      raw.off('close', closed)
    }
    const succeed = () => {
      done()
      resolve()
    }
    const fail = (cause: Error) => {
      done()
      socket.on('error', ignore)
      socket.destroy()
      raw.destroy()
      reject(new ConnectionError('TlsFailed', `TLS handshake failed: ${cause.message}`, { cause }))
    }
    const closed = () => fail(new Error('the peer closed the connection'))
    raw.on('error', ignore)
    socket.on(event, succeed)
    socket.on('error', fail)
    socket.on('close', closed)
    raw.on('close', closed)
  })
}

// The error of a socket that nobody reads any more: its 'close' says all.
function ignore(): void {}

/**
 * Whether a client certificate was given and OpenSSL verified its chain. `authorized` is only set by `tls.Server`, so this asks
 * the same handle that it asks; were the handle ever to lose the method, nobody is verified.
 */
function isClientVerified(socket: TLSSocket): boolean {
  const handle = (socket as unknown as { _handle?: { verifyError?: () => Error | null } })._handle
  if (typeof handle?.verifyError !== 'function') return false
  return handle.verifyError() === null && socket.getPeerX509Certificate() !== undefined
}
