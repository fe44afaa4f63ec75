// The HTTP door of today: /healthz, /readyz, /metrics and the page with the settings. RFC 9110; Prometheus text format 0.0.4.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { rm } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { limits } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import { type Health, isHealthy } from './health.ts'
import { type MailSettings, settingsPage } from './settings-page.ts'

/** As the server's configuration has it. */
type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

export interface StatusServerOptions {
  readonly addresses: readonly Address[]
  readonly log: Log
  readonly health: () => Promise<Health>
  /** Prometheus text. */
  readonly metrics: () => Promise<string>
  readonly settings: () => MailSettings
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** Says of a failure where it happened. */
export class StatusServerError extends Error {
  readonly address: Address
  readonly code: string

  constructor(address: Address, cause: NodeJS.ErrnoException) {
    super(cause.message, { cause })
    this.name = 'StatusServerError'
    this.address = address
    this.code = cause.code ?? 'unknown'
  }
}

export class StatusServer {
  readonly #options: StatusServerOptions
  readonly #servers: Server[] = []

  private constructor(options: StatusServerOptions) {
    this.#options = options
  }

  /** Listens on every address, or throws StatusServerError. */
  static async start(options: StatusServerOptions): Promise<StatusServer> {
    const status = new StatusServer(options)
    try {
      for (const address of options.addresses) status.#servers.push(await status.#listen(address))
    } catch (error) {
      await status.stop()
      throw error
    }
    return status
  }

  /** Where it listens, with the ports that were found. */
  get addresses(): readonly Address[] {
    return this.#servers.map(server => {
      const address = server.address()
      if (address === null) throw new Error('the status server is stopped')
      if (typeof address === 'string') return { kind: 'unix', path: address }
      return { kind: 'tcp', host: address.address, port: address.port }
    })
  }

  async stop(): Promise<void> {
    const closing = this.#servers.splice(0).map(
      server =>
        new Promise<void>(resolve => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    )
    await Promise.all(closing)
  }

  async #listen(address: Address): Promise<Server> {
    const server = createServer({
      maxHeaderSize: limits.http.headerBytes,
      headersTimeout: limits.http.headersMs,
      requestTimeout: limits.http.requestMs,
      keepAliveTimeout: limits.http.keepAliveMs,
    })
    server.maxConnections = limits.http.connections
    server.on('request', (request, response) => void this.#handle(request, response))
    // A peer's malformed request or reset is his affair: the socket is closed, nothing reaches the process.
    server.on('clientError', (_error, socket) => {
      if (socket.writable)
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      else socket.destroy()
    })
    if (address.kind === 'unix') await rm(address.path, { force: true })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    if (address.kind === 'unix') server.listen(address.path, resolve)
    else server.listen({ host: address.host, port: address.port }, resolve)
    try {
      await promise
    } catch (error) {
      throw new StatusServerError(address, error as NodeJS.ErrnoException)
    }
    server.off('error', reject)
    server.on('error', error => this.#options.log.error({ err: error }, 'the HTTP door failed'))
    return server
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', error => this.#options.log.debug({ err: error }, 'an HTTP response failed'))
    request.resume()
    let answer: Answer
    try {
      answer = await this.#answer(request)
    } catch (error) {
      const trace = randomUUID()
      this.#options.log.error({ err: error as Error, trace }, 'an HTTP request failed')
      answer = { status: 500, type: 'text/plain', body: `Server error, trace ${trace}\n` }
    }
    const isHead = request.method === 'HEAD'
    response.writeHead(answer.status, {
      'Content-Type': `${answer.type}; charset=utf-8`,
      'Content-Length': Buffer.byteLength(answer.body),
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      ...(answer.status === 405 && { Allow: 'GET, HEAD' }),
    })
    response.end(isHead ? undefined : answer.body)
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    // RFC 9110 §15.5.6
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'Only GET and HEAD\n')
    const path = (request.url ?? '/').split('?', 1)[0]
    switch (path) {
      case '/':
        return { status: 200, type: 'text/html', body: settingsPage(this.#options.settings()) }
      case '/healthz': {
        const { live } = await this.#options.health()
        return text(live ? 200 : 503, live ? 'ok\n' : 'not live\n')
      }
      case '/readyz': {
        const health = await this.#options.health()
        const body = `${JSON.stringify({ ready: isHealthy(health), checks: health.checks })}\n`
        return { status: isHealthy(health) ? 200 : 503, type: 'application/json', body }
      }
      case '/metrics':
        return { status: 200, type: 'text/plain; version=0.0.4', body: await this.#options.metrics() }
      default:
        return text(404, 'Nothing here\n')
    }
  }
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain', body }
}
