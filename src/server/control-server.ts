// The running server's side of the control socket: a unix socket in the data folder that only its owner may open.
// Each request is `{ id, operation, args }` and is answered `{ id, result }` or `{ id, error: { code, message } }`.
import { randomUUID } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { limits } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import { shortSocketPath } from './socket-path.ts'
import { encodeFrame, FrameReader } from './control-frame.ts'

/** What can be asked of a running server. Arguments and results are plain values. */
export type ControlOperations = Readonly<Record<string, (args: unknown) => Promise<unknown>>>

interface ControlRequest {
  readonly id: number
  readonly operation: string
  readonly args: unknown
}

/** Where the control socket of a store is. A named pipe on Windows. */
export function controlPath(dataDir: string): string {
  if (process.platform !== 'win32') return join(dataDir, 'control.sock')
  return `\\\\.\\pipe\\restante-${Buffer.from(dataDir.toLowerCase()).toString('hex').slice(-120)}`
}

export class ControlServer {
  readonly #path: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #operations: ControlOperations
  readonly #log: Log

  private constructor(path: string, operations: ControlOperations, log: Log) {
    this.#path = path
    this.#operations = operations
    this.#log = log
    this.#server = createServer(socket => this.#accept(socket))
  }

  /**
   * Listens, for the owner of the folder only. The caller holds the store's lock, so that a socket which is there is left over from a crash.
   * Rejects with the system's error.
   */
  static async start(path: string, operations: ControlOperations, log: Log): Promise<ControlServer> {
    const control = new ControlServer(path, operations, log)
    if (process.platform !== 'win32') await rm(path, { force: true })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    control.#server.once('error', reject)
    // The mask holds while the socket is made, so that there is no moment at which another user may open it.
    const short = shortSocketPath(path)
    const mask = process.platform === 'win32' ? undefined : process.umask(0o177)
    try {
      control.#server.listen(short.path, resolve)
    } finally {
      if (mask !== undefined) process.umask(mask)
    }
    await promise.finally(() => short.release())
    control.#server.off('error', reject)
    control.#server.on('error', error => log.error({ err: error }, 'the control socket failed'))
    if (process.platform !== 'win32') chmodSync(path, 0o600)
    return control
  }

  /** Takes no more requests, and ends those that wait. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => {
      this.#server.close(() => resolve())
    })
    for (const socket of this.#sockets) socket.destroy()
    await closed
    if (process.platform !== 'win32') await rm(this.#path, { force: true })
  }

  #accept(socket: Socket): void {
    if (this.#sockets.size >= limits.control.connections) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', error => this.#log.debug({ err: error }, 'control connection failed'))
    const reader = new FrameReader()
    let running = 0
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const request of reader.push(chunk)) {
          running++
          if (running >= limits.control.requestsAtOnce) socket.pause()
          void this.#answer(socket, request).finally(() => {
            running--
            socket.resume()
          })
        }
      } catch (error) {
        this.#log.warn({ err: error as Error }, 'a control message could not be read')
        socket.destroy()
      }
    })
  }

  async #answer(socket: Socket, request: unknown): Promise<void> {
    if (!isRequest(request)) {
      socket.destroy()
      return
    }
    const { id, operation, args } = request
    const run = Object.hasOwn(this.#operations, operation) ? this.#operations[operation] : undefined
    let answer: Buffer
    try {
      if (!run)
        throw Object.assign(new Error(`this server knows no operation "${operation}"`), {
          code: 'unknown-operation',
        })
      answer = encodeFrame({ id, result: await run(args) })
    } catch (error) {
      answer = encodeFrame({ id, error: this.#describe(operation, error) })
    }
    if (!socket.destroyed) socket.write(answer)
  }

  #describe(operation: string, error: unknown): { code: string; message: string } {
    const { code, message } = error as { code?: unknown; message?: unknown }
    if (typeof code === 'string' && typeof message === 'string') return { code, message }
    const trace = randomUUID()
    this.#log.error(
      { err: error instanceof Error ? error : new Error(String(error)), operation, trace },
      'a control operation failed',
    )
    return { code: 'failed', message: `the server failed; see its log, trace ${trace}` }
  }
}

function isRequest(value: unknown): value is ControlRequest {
  if (typeof value !== 'object' || value === null) return false
  const { id, operation } = value as Partial<ControlRequest>
  return typeof id === 'number' && typeof operation === 'string'
}
