// A whole mail server inside a program: every protocol on a free port of the loopback, over a store in memory or in a folder.
//
// Nothing is global: no handler of the process, no timer that keeps it alive, no state that two servers share. What a peer does to a
// connection never reaches the program. After `close` nothing is left open.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDomain } from '../account/directory.ts'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { StatusServer } from '../http/status-server.ts'
import type { Connection } from '../net/connection.ts'
import { CertificateStore } from '../net/tls.ts'
import type { QueueRunner } from '../queue/runner.ts'
import { type App, createApp } from '../server/app.ts'
import { type ImportReport, importArchive } from '../server/archive/importer.ts'
import { certificateFiles } from '../server/certificates.ts'
import type { Config } from '../server/config.ts'
import type { MailProtocol } from '../server/doors.ts'
import { type DoorName, doorNames, type Listen } from '../server/listen.ts'
import { mailSettings } from '../server/mail-settings.ts'
import { MetricsRegistry, ThreadMetrics } from '../server/metrics.ts'
import { createQueueRunner } from '../server/queue-service.ts'
import { Runner } from '../server/runner.ts'
import { allocateSharedTables } from '../server/shared-tables.ts'
import { storeOptions, storePlace } from '../server/storage.ts'
import { openStore } from '../store/open-store.ts'
import type { Store } from '../store/store.ts'
import { awaitMessage, listMessages } from './account-messages.ts'
import { Accounts } from './accounts.ts'
import { Emitter, type MailServerEvent, type MailServerEvents } from './events.ts'
import { flagSetOf } from './flag-names.ts'
import { entriesOfBytes, entriesOfPath } from './import-source.ts'
import { libraryConfig } from './library-config.ts'
import { describeFilter, type MessageFilter, type MessagePredicate, predicateOf } from './message-filter.ts'
import { ObservedStore } from '../store/observed-store.ts'
import type { MailServerOptions } from './options.ts'
import type { ReceivedMessage } from './received-message.ts'
import { StoreEvents } from './store-events.ts'

export interface WaitOptions {
  /** 10 seconds by default. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface ImportOptions {
  /** INBOX by default; folders of a Maildir keep their names. */
  readonly mailbox?: string
  /** Added to those that the archive tells: `\Seen`, `$Forwarded`. */
  readonly flags?: readonly string[]
}

/** The port of each protocol. Reading that of one which does not listen throws. */
export type Ports = Readonly<Record<DoorName, number>>

const defaultWaitMs = 10_000
/** Entries of the tables of limits and locks: few, since there may be fifty servers. */
const sharedEntries = 512

export class MailServer implements AsyncDisposable {
  readonly accounts: Accounts
  readonly ports: Ports
  /** The certificate in PEM, for clients that are to trust it. */
  readonly certificate: string
  readonly #parts: Parts
  readonly #closed = new AbortController()
  #closing: Promise<void> | undefined

  private constructor(parts: Parts) {
    this.#parts = parts
    this.accounts = new Accounts(parts.app.directory)
    this.ports = portsOf(parts.listen)
    this.certificate = parts.certificate
  }

  /** Starts everything; resolves when the first client may come. */
  static async start(options: MailServerOptions = {}): Promise<MailServer> {
    const parts = await startParts(options)
    const server = new MailServer(parts)
    for (const domain of options.domains ?? []) await createDomain(parts.app.directory, domain)
    return server
  }

  /** Brings in a message's bytes, or the messages of a path: a message, an mbox, a Maildir or a folder of messages. */
  async import(
    account: string,
    source: Uint8Array | string,
    options: ImportOptions = {},
  ): Promise<ImportReport> {
    const { id } = await this.accounts.row(account)
    const { mailbox = 'INBOX', flags = [] } = options
    const entries =
      typeof source === 'string' ? entriesOfPath(source, mailbox) : entriesOfBytes(source, mailbox)
    const added = flagSetOf(flags)
    const flaggedEntries = async function* () {
      for await (const entry of entries) {
        if (entry.kind !== 'message') yield entry
        else {
          const keywords = [...new Set([...entry.flags.keywords, ...added.keywords])]
          yield { ...entry, flags: { system: entry.flags.system | added.system, keywords } }
        }
      }
    }
    return importArchive(flaggedEntries(), {
      store: this.#parts.store,
      account: id,
      signal: this.#closed.signal,
    })
  }

  /** The messages of an account in the order in which they came; of one mailbox, when it is named. */
  async messages(
    account: string,
    { mailbox }: { readonly mailbox?: string } = {},
  ): Promise<readonly ReceivedMessage[]> {
    const { id } = await this.accounts.row(account)
    return listMessages(this.#parts.store, id, mailbox)
  }

  /**
   * The first message that fits, of those that are there and those to come, in any mailbox of the account.
   * Rejects after `timeoutMs` with an Error that says what was there instead.
   */
  async waitForMessage(
    account: string,
    filter: MessageFilter | MessagePredicate = {},
    { timeoutMs = defaultWaitMs, signal }: WaitOptions = {},
  ): Promise<ReceivedMessage> {
    const { id } = await this.accounts.row(account)
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(new Error('timed out')), timeoutMs)
    const signals = [timeout.signal, this.#closed.signal, ...(signal ? [signal] : [])]
    try {
      return await awaitMessage(this.#parts.store, id, predicateOf(filter), AbortSignal.any(signals))
    } catch (error) {
      if (!timeout.signal.aborted) throw error
      const subjects = (await listMessages(this.#parts.store, id, undefined)).map(({ subject }) =>
        JSON.stringify(subject),
      )
      const present = subjects.length === 0 ? 'no message at all' : `only ${subjects.slice(-10).join(', ')}`
      throw new Error(
        `${account} got no message ${describeFilter(filter)} within ${timeoutMs} ms: ${present}`,
        { cause: error },
      )
    } finally {
      clearTimeout(timer)
    }
  }

  /** Calls `listener` at each event, until the function it returns is called. */
  on<Name extends MailServerEvent>(
    name: Name,
    listener: (event: MailServerEvents[Name]) => void,
  ): () => void {
    return this.#parts.emitter.on(name, listener)
  }

  /** Ends everything: connections are told and then cut, the store is closed. Settles when nothing is left open. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#closed.abort(new Error('the mail server was closed'))
    await stopParts(this.#parts)
    this.#parts.emitter.emit('closed', {})
  }
}

interface Parts {
  readonly app: App
  readonly store: Store
  readonly runner: Runner
  readonly queue: QueueRunner
  readonly status: StatusServer | undefined
  readonly listen: Listen
  readonly certificate: string
  readonly emitter: Emitter
  readonly events: StoreEvents
}

/** How long a session may take to say goodbye when the server closes. */
const drainMs = 500

async function stopParts({ runner, queue, status, events, store }: Parts): Promise<void> {
  await Promise.all([runner.stop(drainMs), queue.stop(drainMs)])
  await status?.stop()
  await events.settled()
  await store.close()
}

async function startParts(options: MailServerOptions): Promise<Parts> {
  const { clock = systemClock, log = silentLog, hooks = {} } = options
  const config = libraryConfig(options)
  const metrics = new ThreadMetrics()
  const emitter = new Emitter(error =>
    log.error({ err: error as Error }, 'a listener of the mail server threw'),
  )
  const isInMemory = config.dataDir === '' && config.store.url === undefined
  const place = isInMemory ? ({ memory: true } as const) : storePlace(config, true)
  const inner = await openStore(place, { clock, log, metrics, ...storeOptions(config) })
  let runner: Runner | undefined
  let status: StatusServer | undefined
  let queue: QueueRunner | undefined
  try {
    const events = new StoreEvents(inner.reader, emitter, error =>
      log.error({ err: error as Error }, 'an event was lost'),
    )
    const store = new ObservedStore(inner, {
      before: name => hooks.mutate?.(name),
      after: (name, args, result) => events.after(name, args, result),
    })
    const { certificates, pem } = await loadCertificates(config)
    runner = await Runner.open({
      listen: mailOnly(config.listen),
      reusePort: false,
      log,
      metrics,
      certificates,
      onSession: (connection, protocol) => hooks.connection?.(hooked(connection, protocol)),
    })
    const app = createApp({
      config,
      clock,
      log,
      metrics,
      store,
      index: 0,
      shared: allocateSharedTables(sharedEntries),
      onLogin: ({ account, protocol, mechanism, result }) => {
        if (result === 'success' && account !== undefined)
          emitter.emit('loggedIn', { account, protocol, mechanism })
        else emitter.emit('loginRefused', { account, protocol, mechanism })
      },
    })
    runner.start(app)
    queue = createQueueRunner(app)
    await queue.start()
    status = await startStatus(config, app, metrics, runner)
    const listen = { ...runner.addresses, ...(status && { http: status.addresses }) }
    return { app, store, runner, queue, status, listen, certificate: pem, emitter, events }
  } catch (error) {
    await queue?.stop(0)
    await runner?.stop(0)
    await status?.stop()
    await inner.close()
    throw error
  }
}

function mailOnly({ http: _http, ...listen }: Listen): Listen {
  return listen
}

function hooked(connection: Connection, protocol: MailProtocol) {
  const { remoteAddress, remotePort, secure } = connection
  return { protocol, remoteAddress, remotePort, secure }
}

/** A self-signed one. A store in memory has no folder for it: it is made in one that is removed at once. */
async function loadCertificates(config: Config): Promise<{ certificates: CertificateStore; pem: string }> {
  const folder = config.dataDir === '' ? await mkdtemp(join(tmpdir(), 'restante-tls-')) : undefined
  try {
    const options = await certificateFiles({ ...config, dataDir: folder ?? config.dataDir }, systemClock)
    const certificates = await CertificateStore.load(options)
    const file = await readFile(options.certificates[0].certFile, 'utf8')
    return {
      certificates,
      pem: /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(file)?.[0] ?? '',
    }
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
}

async function startStatus(
  config: Config,
  app: App,
  metrics: ThreadMetrics,
  runner: Runner,
): Promise<StatusServer | undefined> {
  const { http } = config.listen
  if (http === undefined) return undefined
  const registry = new MetricsRegistry()
  return StatusServer.start({
    addresses: http,
    log: app.log,
    health: () => Promise.resolve({ live: true, checks: {} }),
    metrics() {
      runner.report()
      const batch = metrics.take()
      if (batch) registry.apply('server', batch)
      return Promise.resolve(registry.expose())
    },
    settings: () => mailSettings(config.hostname, runner.addresses),
  })
}

function portsOf(listen: Listen): Ports {
  const ports = {} as Record<DoorName, number>
  for (const door of doorNames) {
    const address = listen[door]?.[0]
    if (address?.kind === 'tcp') Object.defineProperty(ports, door, { value: address.port, enumerable: true })
    else {
      Object.defineProperty(ports, door, {
        get() {
          throw new Error(`${door} does not listen: name it in \`protocols\``)
        },
      })
    }
  }
  return Object.freeze(ports)
}
