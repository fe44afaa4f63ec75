// The main thread of a server: privileges, the store's writer, the protocol threads, health, metrics, control, and an orderly end.
//
// The order of a start: ports are opened by the threads, privileges are dropped, the store is opened, the threads are given it.
// The order of an end: no more connections, sessions end, the store commits what waits and closes.
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../base/clock.ts'
import type { Health } from '../http/health.ts'
import { StatusServer, StatusServerError, type StatusServerOptions } from '../http/status-server.ts'
import { CertificateStore, type CertificateStoreOptions } from '../net/tls.ts'
import type { Store } from '../store/store.ts'
import { certificateFiles } from './certificates.ts'
import type { Config } from './config.ts'
import { controlPath, ControlServer } from './control-server.ts'
import { DoorError } from './doors.ts'
import { type DoorName, type Listen, type ListenAddress } from './listen.ts'
import type { LogLevel, ServerLog } from './log.ts'
import { type MetricsBatch, MetricsRegistry, ThreadMetrics } from './metrics.ts'
import { isWithoutIpv6 } from './ipv6.ts'
import { mailSettings } from './mail-settings.ts'
import { nodeId } from './node-id.ts'
import type { NodeReports, NodeReportsOptions } from './node-reports.ts'
import { dropPrivileges } from './privileges.ts'
import { allocateSharedTables } from './shared-tables.ts'
import type { Storage } from './storage.ts'
import type { Slot } from './slot.ts'
import type { ThreadData } from './thread-messages.ts'
import { ThreadSlot } from './thread-slot.ts'

export interface SupervisorOptions {
  readonly config: Config
  readonly log: ServerLog
  /** Reads the configuration again, for `reload`. Throws ConfigError. */
  readonly readConfig: () => Config
}

/** Systems whose kernel spreads connections over sockets that share a port. */
const sharesPorts = process.platform === 'linux' || process.platform === 'freebsd'

const metricsEveryMs = 10_000
const reportTimeoutMs = 500
const certificatesEveryMs = 60_000
const ticketKeysBytes = 48
/** A key that leaks opens the sessions of a day. */
const ticketKeysEveryMs = 86_400_000

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #config: Config
  readonly #log: ServerLog
  readonly #registry = new MetricsRegistry()
  readonly #metrics = new ThreadMetrics()
  readonly #slots: Slot[] = []
  readonly #startedAt = performance.now()
  #ticketKeys = randomBytes(ticketKeysBytes)
  readonly #shared = allocateSharedTables()
  readonly #timers: NodeJS.Timeout[] = []
  #listen: Listen
  #logLevel: LogLevel
  #certificateFiles!: Omit<CertificateStoreOptions, 'ticketKeys'>
  #certificates!: CertificateStore
  #storage: Storage | undefined
  #control: ControlServer | undefined
  #status: StatusServer | undefined
  #reports: NodeReports | undefined
  #isServing = false
  #stopping: Promise<void> | undefined
  /** Ends the time in which only /readyz knows of the end. */
  readonly #unready = new AbortController()

  private constructor(options: SupervisorOptions) {
    this.#options = options
    this.#config = options.config
    this.#log = options.log
    this.#listen = options.config.listen
    this.#logLevel = options.config.log.level
  }

  /** Starts everything; resolves when the first message can be read. Throws DoorError, StoreError, CertificateError and others that say what to do. */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const supervisor = new Supervisor(options)
    try {
      await supervisor.#start()
      return supervisor
    } catch (error) {
      await supervisor.stop(0)
      throw error
    }
  }

  /** Where it listens, with the ports that were found where 0 was asked for. */
  get addresses(): Listen {
    return this.#listen
  }

  /** Reads the configuration's log level and the certificates again; what was in use stays when that fails. */
  async reload(): Promise<void> {
    try {
      this.#logLevel = this.#options.readConfig().log.level
      this.#log.setLevel(this.#logLevel)
      await this.#certificates.reload()
      for (const slot of this.#slots) slot.reload(this.#logLevel)
      this.#log.info({ logLevel: this.#logLevel }, 'reloaded')
    } catch (error) {
      this.#log.error({ err: error as Error }, 'reload failed; what was in use stays')
    }
  }

  /** Runs in each thread what the first clients will ask for, before they come; resolves when all has run. */
  async rehearse(): Promise<void> {
    await Promise.all(this.#slots.map(slot => slot.rehearse()))
  }

  /** For tests: makes one protocol thread throw where nobody catches. */
  injectFault(thread: number): void {
    this.#slots[thread]?.injectFault()
  }

  /** Ends in order; sessions have `drainMs` to end what they do. Called again with less time, it cuts them off sooner. */
  stop(drainMs: number): Promise<void> {
    if (this.#stopping) {
      this.#unready.abort()
      for (const slot of this.#slots) void slot.stop(drainMs)
      return this.#stopping
    }
    this.#stopping = this.#stop(drainMs)
    return this.#stopping
  }

  async #start(): Promise<void> {
    const config = this.#config
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
    chmodSync(config.dataDir, 0o700)
    this.#certificateFiles = await certificateFiles(config, systemClock)
    this.#certificates = await CertificateStore.load({
      ...this.#certificateFiles,
      ticketKeys: this.#ticketKeys,
    })
    await probeAddresses(mailDoors(config.listen))
    // What this thread needs of the store is loaded while the others load what they need.
    const [, { openStorage }, { controlOperations }, { NodeReports }] = await Promise.all([
      this.#openThreads(),
      import('./storage.ts'),
      import('./control-operations.ts'),
      import('./node-reports.ts'),
    ])
    await this.#openStatus()
    if (config.user !== undefined) {
      dropPrivileges({ user: config.user, group: config.group }, config.dataDir)
      this.#log.info({ user: config.user }, 'privileges dropped')
    }
    this.#storage = await openStorage({
      config,
      clock: systemClock,
      log: this.#log,
      metrics: this.#metrics,
      onNewWriter: () => this.#linkNewWriter(),
    })
    if (config.store.url !== undefined)
      this.#reports = new NodeReports(this.#nodeReported(this.#storage.store))
    const link = this.#linkThreads()
    this.#control = await ControlServer.start(
      controlPath(config.dataDir),
      controlOperations({
        store: this.#storage.store,
        health: () => this.#health(),
        listen: () => this.#listen,
      }),
      this.#log,
    )
    await link
    this.#every(metricsEveryMs, () => this.#collect())
    this.#every(ticketKeysEveryMs, () => this.#rotateTicketKeys())
    this.#every(certificatesEveryMs, () => this.#reloadChangedCertificates())
    this.#log.info(
      { ms: Math.round(performance.now() - this.#startedAt), threads: this.#slots.length },
      'ready',
    )
    this.#isServing = true
    this.#storage.startIndexer()
  }

  /** All load at once; then the first finds the ports, which the others share. */
  async #openThreads(): Promise<void> {
    const count = sharesPorts ? Math.max(1, this.#config.threads) : 1
    const first = await this.#addSlot(0)
    const others: Slot[] = []
    for (let index = 1; index < count; index++) others.push(await this.#addSlot(index))
    for (const slot of this.#slots) slot.load()
    const http = this.#config.listen.http
    this.#listen = { ...(await first.start()), ...(http && { http }) }
    await Promise.all(others.map(slot => slot.start()))
  }

  async #addSlot(index: number): Promise<Slot> {
    const onListening = (slot: Slot) => this.#link(slot)
    const onMetrics = (batch: MetricsBatch) => this.#registry.apply(`thread ${index}`, batch)
    const data = () => this.#threadData(index)
    // A unix socket cannot be shared: the first thread has it.
    const listen = () => (index === 0 ? mailDoors(this.#listen) : tcpOnly(mailDoors(this.#listen)))
    const onDeath = () => {
      this.#registry.forget(`thread ${index}`)
      if (!this.#stopping) this.#metrics.count('thread_deaths')
    }
    // Loaded here: with threads, this one needs no protocol.
    const slot =
      this.#config.threads === 0
        ? new (await import('./inline-slot.ts')).InlineSlot({
            log: this.#log,
            data,
            listen,
            onListening,
            onMetrics,
          })
        : new ThreadSlot({ index, log: this.#log, data, listen, onListening, onMetrics, onDeath })
    this.#slots.push(slot)
    return slot
  }

  #threadData(index: number): ThreadData {
    return {
      index,
      config: { ...this.#config, log: { ...this.#config.log, level: this.#logLevel } },
      reusePort: sharesPorts,
      certificates: this.#certificateFiles,
      ticketKeys: this.#ticketKeys,
      shared: this.#shared,
    }
  }

  /** Gives a thread the store, once that is open. */
  #link(slot: Slot): void {
    if (!this.#storage || this.#stopping) return
    slot.open(this.#storage)
  }

  #linkNewWriter(): void {
    if (!this.#storage || this.#stopping) return
    for (const slot of this.#slots) slot.newWriter(this.#storage)
  }

  async #linkThreads(): Promise<void> {
    for (const slot of this.#slots) this.#link(slot)
    await Promise.all(this.#slots.map(slot => slot.ready))
  }

  async #openStatus(): Promise<void> {
    const addresses = this.#config.listen.http ?? []
    if (addresses.length === 0) return
    this.#status = await startStatusServer({
      addresses,
      log: this.#log,
      health: () => this.#health(),
      metrics: async () => {
        await this.#collect()
        return this.#registry.expose()
      },
      settings: () => mailSettings(this.#config.hostname, this.#listen),
    })
    this.#listen = { ...this.#listen, http: this.#status.addresses }
  }

  #nodeReported(store: Store): NodeReportsOptions {
    return {
      id: nodeId(this.#config.dataDir),
      store,
      clock: systemClock,
      log: this.#log,
      load: () => ({
        sessions: this.#registry.gaugeOf('connections'),
        commits: this.#registry.countOf('store_mutations'),
      }),
    }
  }

  async #collect(): Promise<void> {
    const memory = process.memoryUsage()
    const cpu = process.cpuUsage()
    this.#metrics.gauge('process_resident_memory_bytes', memory.rss)
    this.#metrics.gauge('process_cpu_seconds', (cpu.user + cpu.system) / 1e6)
    this.#metrics.gauge('uptime_seconds', (performance.now() - this.#startedAt) / 1000)
    this.#metrics.gauge('threads_ready', this.#slots.filter(slot => slot.isReady).length)
    const batch = this.#metrics.take()
    if (batch) this.#registry.apply('supervisor', batch)
    await Promise.all(this.#slots.map(slot => slot.report(reportTimeoutMs)))
  }

  async #health(): Promise<Health> {
    const now = systemClock.now()
    const expired = this.#certificates.certificates.filter(({ notAfter }) => notAfter.getTime() <= now)
    const store = this.#storage ? await this.#storage.checkWritable() : 'not open'
    return {
      live: true,
      checks: {
        threads: this.#slots.some(slot => slot.isReady) ? 'ok' : 'no protocol thread is ready',
        // The first thread has it.
        queue: this.#slots[0]?.isReady ? 'ok' : 'not running',
        store,
        certificates:
          expired.length === 0 ? 'ok' : `expired: ${expired.map(({ certFile }) => certFile).join(', ')}`,
        stopping: this.#stopping ? 'stopping' : 'ok',
      },
    }
  }

  async #reloadChangedCertificates(): Promise<void> {
    try {
      if (!(await this.#certificates.reloadIfChanged())) return
      for (const slot of this.#slots) slot.reload(this.#logLevel)
      this.#log.info({}, 'certificates have changed and were loaded again')
    } catch (error) {
      this.#log.error(
        { err: error as Error },
        'certificates have changed but cannot be loaded; the old ones are still served',
      )
    }
  }

  #rotateTicketKeys(): Promise<void> {
    this.#ticketKeys = randomBytes(ticketKeysBytes)
    for (const slot of this.#slots) slot.rotateTicketKeys(this.#ticketKeys)
    return Promise.resolve()
  }

  #every(ms: number, work: () => Promise<void>): void {
    this.#timers.push(setInterval(() => void work(), ms).unref())
  }

  async #stop(drainMs: number): Promise<void> {
    // Cut short by a second call.
    if (this.#isServing && drainMs > 0)
      await sleep(this.#config.stop.unreadyMs, undefined, { signal: this.#unready.signal }).catch(() => {})
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#slots.map(slot => slot.stop(drainMs)))
    await this.#reports?.close()
    await this.#control?.close()
    await this.#status?.stop()
    await this.#storage?.close()
    this.#log.info({}, 'stopped')
  }
}

/** Throws DoorError. */
async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  try {
    return await StatusServer.start(options)
  } catch (error) {
    if (error instanceof StatusServerError)
      throw new DoorError('http', error.address, error.cause as NodeJS.ErrnoException)
    throw error
  }
}

/** Everything but HTTP, which the supervisor serves. */
function mailDoors({ http: _http, ...listen }: Listen): Listen {
  return listen
}

function tcpOnly(listen: Listen): Listen {
  return Object.fromEntries(
    Object.entries(listen).map(([door, addresses]) => [
      door,
      addresses.filter(address => address.kind === 'tcp'),
    ]),
  )
}

/**
 * Looks whether another program holds an address: threads open theirs with SO_REUSEPORT, by which two servers of one user would share
 * a port in silence. Throws DoorError.
 */
async function probeAddresses(listen: Listen): Promise<void> {
  for (const [door, addresses] of Object.entries(listen)) {
    for (const address of addresses) {
      if (address.kind === 'tcp' && address.port !== 0) await probe(door as DoorName, address)
    }
  }
}

async function probe(door: DoorName, address: Extract<ListenAddress, { kind: 'tcp' }>): Promise<void> {
  const host = isWithoutIpv6(address.host) ? '0.0.0.0' : address.host
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host, port: address.port }, resolve)
  try {
    await promise
  } catch (error) {
    throw new DoorError(door, address, error as NodeJS.ErrnoException)
  }
  await new Promise<void>(closed => {
    server.close(() => closed())
  })
}
