// One thread's share of the server: its doors, and the sessions behind them. The same in a protocol thread and in the calling thread.
import type { Connection } from '../net/connection.ts'
import { Deadlines } from '../net/deadlines.ts'
import { parseNetwork } from '../net/ip.ts'
import type { CertificateStore } from '../net/tls.ts'
import type { App } from './app.ts'
import { providerFor } from './certificates.ts'
import { Doors, type MailProtocol } from './doors.ts'
import type { Listen } from './listen.ts'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import { loadProtocol, rehearse, type Serve } from './protocols.ts'

export interface RunnerOptions {
  readonly listen: Listen
  readonly reusePort: boolean
  readonly log: Log
  readonly metrics: Metrics
  readonly certificates: CertificateStore
  /** Networks of load balancers that speak the PROXY protocol, as the configuration has them; none by default. */
  readonly proxyNetworks?: readonly string[]
  /** Called before each session; what it throws ends the connection. */
  readonly onSession?: (connection: Connection, protocol: MailProtocol) => void | Promise<void>
}

export class Runner {
  readonly #options: RunnerOptions
  /** Given when the store is open; sessions that came before wait for it. */
  readonly #app = Promise.withResolvers<App>()
  readonly #protocols = new Map<MailProtocol, Promise<Serve>>()
  /** Those that are loaded. */
  readonly #loaded = new Map<MailProtocol, Serve>()
  #doors!: Doors

  private constructor(options: RunnerOptions) {
    this.#options = options
    // Nobody may be waiting when the start fails.
    this.#app.promise.catch(() => {})
  }

  /** Opens the doors. Connections are taken from now on, and served once `start` is called. Throws DoorError. */
  static async open(options: RunnerOptions): Promise<Runner> {
    const runner = new Runner(options)
    runner.#doors = await Doors.open({
      listen: options.listen,
      reusePort: options.reusePort,
      deadlines: new Deadlines(),
      log: options.log,
      certificates: options.certificates,
      proxyNetworks: (options.proxyNetworks ?? []).map(parseNetwork),
      serve: (connection, protocol) => runner.#serve(connection, protocol),
    })
    return runner
  }

  get addresses(): Listen {
    return this.#doors.addresses
  }

  /** Lets sessions begin. */
  start(app: App): void {
    this.#app.resolve(app)
  }

  /** Runs what the first clients will ask for before they come, where they come to ask it. Call it once nobody waits for the start any more. */
  async rehearse(): Promise<void> {
    const { log } = this.#options
    try {
      const isAlone = () => [...this.#doors.connectionCounts()].every(([, count]) => count === 0)
      const refused = await rehearse(this.#doors.protocols, await this.#app.promise, isAlone)
      if (refused.length > 0) log.debug({ commands: refused.join('; ') }, 'refused in the rehearsal')
    } catch (error) {
      // The store is closing, or clients will find out.
      log.debug({ err: error as Error }, 'the rehearsal ended early')
    }
  }

  /** Accepts no more; sessions end their command and say goodbye; what is left after `drainMs` is cut off. */
  async stop(drainMs: number): Promise<void> {
    this.#app.reject(new Error('the server stopped before it had started'))
    await this.#doors.stop(drainMs)
  }

  /** Writes the gauges of this thread. */
  report(): void {
    const { metrics } = this.#options
    for (const [door, count] of this.#doors.connectionCounts()) metrics.gauge('connections', count, { door })
  }

  #serve(connection: Connection, protocol: MailProtocol): Promise<void> {
    const serve = this.#options.onSession ? undefined : this.#loaded.get(protocol)
    return serve ? this.#session(connection, protocol, serve) : this.#prepare(connection, protocol)
  }

  async #prepare(connection: Connection, protocol: MailProtocol): Promise<void> {
    const app = await this.#app.promise
    await this.#options.onSession?.(connection, protocol)
    const serve = await this.#protocol(protocol, app)
    this.#loaded.set(protocol, serve)
    return this.#session(connection, protocol, serve)
  }

  #session(connection: Connection, protocol: MailProtocol, serve: Serve): Promise<void> {
    const { metrics } = this.#options
    metrics.count('sessions', { protocol })
    const startedAt = performance.now()
    connection.onClose(() =>
      metrics.observe('session_seconds', (performance.now() - startedAt) / 1000, { protocol }),
    )
    return serve(connection)
  }

  #protocol(protocol: MailProtocol, app: App): Promise<Serve> {
    const known = this.#protocols.get(protocol)
    if (known) return known
    const loading = loadProtocol(protocol, app, providerFor(this.#options.certificates, protocol))
    this.#protocols.set(protocol, loading)
    return loading
  }
}
