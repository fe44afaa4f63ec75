// Connecting to a peer, for the protocols that we speak as the client.
import { connect } from 'node:net'
import type { ConnectionOptions as TlsClientOptions } from 'node:tls'
import { limits } from '../base/limits.ts'
import { Connection, type NetLimits } from './connection.ts'
import { ConnectionError } from './connection-error.ts'
import type { Deadlines } from './deadlines.ts'

export interface DialOptions {
  /** An address, not a name: who dials has asked the `Resolver` and chosen. Or the path of a unix socket. */
  readonly to: { readonly address: string; readonly port: number } | { readonly path: string }
  readonly deadlines: Deadlines
  /** Our own address to dial from. */
  readonly localAddress?: string
  /** Given: handshake first. Without it `startTlsAsClient` may follow. */
  readonly implicitTls?: TlsClientOptions
  readonly timeoutMs?: number
  readonly limits?: Partial<NetLimits>
}

/** Connects. Throws ConnectFailed (its `cause` has the system's code) and TlsFailed. */
export async function dial(options: DialOptions): Promise<Connection> {
  const { to, deadlines, localAddress, implicitTls, timeoutMs = limits.net.connectMs } = options
  const socket = connect({
    ...('path' in to ? { path: to.path } : { host: to.address, port: to.port }),
    ...(localAddress !== undefined && { localAddress }),
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error('timed out')), timeoutMs)
  socket.on('error', reject)
  socket.once('connect', resolve)
  try {
    await promise
  } catch (cause) {
    socket.on('error', () => {})
    socket.destroy()
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConnectionError('ConnectFailed', `cannot connect: ${why}`, { cause })
  } finally {
    clearTimeout(timer)
    socket.off('error', reject)
  }
  const connection = new Connection(socket, {
    deadlines,
    ...(options.limits && { limits: options.limits }),
  })
  if (implicitTls) await connection.startTlsAsClient(implicitTls)
  return connection
}
