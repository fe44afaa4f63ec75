// A server as a process: its signals, what it prints, its exit code. sd_notify(3).
import type { Config } from './config.ts'
import { letHeapsGrow } from './heaps.ts'
import { doorNames, formatListenAddress, type Listen } from './listen.ts'
import { createLog } from './log.ts'
import { notifyServiceManager } from './notify.ts'
import { Supervisor } from './supervisor.ts'

/** Signals that come this soon after each other are one. */
const sameSignalMs = 500

export interface RunServerOptions {
  /** Reads the configuration, at the start and on SIGHUP. Throws ConfigError. */
  readonly readConfig: () => Config
  /** Standard output. */
  readonly print: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether the addresses are printed as JSON. */
  readonly json: boolean
  /** Called when everything is ready. */
  readonly onReady?: (supervisor: Supervisor) => Promise<void>
}

/** Runs a server until a signal ends it. The exit code. Throws what it cannot start for. */
export async function runServer({
  readConfig,
  print,
  env,
  json,
  onReady,
}: RunServerOptions): Promise<number> {
  const config = readConfig()
  const log = createLog(config.log)
  const signals = new Signals()
  try {
    const supervisor = await Supervisor.start({ config, log, readConfig })
    const stopped = Promise.withResolvers<void>()
    // One after the other, since each is a program of its own.
    let told = notifyServiceManager('READY=1', env, log)
    signals.on(['SIGHUP'], () => void supervisor.reload())
    signals.on(['SIGTERM', 'SIGINT'], signal => {
      log.info({ signal, drainMs: config.stop.drainMs }, 'stopping')
      told = told.then(() => notifyServiceManager('STOPPING=1', env, log))
      void supervisor.stop(config.stop.drainMs).then(stopped.resolve)
      const stoppedAt = performance.now()
      signals.on(['SIGTERM', 'SIGINT'], () => {
        // Under npm, one Ctrl-C comes from the terminal and once more from the parent.
        if (performance.now() - stoppedAt < sameSignalMs) return
        log.warn({}, 'a second signal: ending at once')
        void supervisor.stop(0)
      })
    })
    const { addresses } = supervisor
    print(
      json ? `${JSON.stringify({ ready: true, listen: plainListen(addresses) })}\n` : readyLines(addresses),
    )
    void supervisor.rehearse().then(letHeapsGrow)
    await onReady?.(supervisor)
    await stopped.promise
    await told
    return 0
  } finally {
    signals.off()
  }
}

/** Handlers of the process's signals that are taken away again. */
class Signals {
  readonly #handlers = new Map<NodeJS.Signals, (signal: NodeJS.Signals) => void>()

  /** In place of any earlier handler. */
  on(names: readonly NodeJS.Signals[], handler: (signal: NodeJS.Signals) => void): void {
    for (const name of names) {
      const before = this.#handlers.get(name)
      if (before) process.off(name, before)
      process.on(name, handler)
      this.#handlers.set(name, handler)
    }
  }

  off(): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler)
  }
}

/** `imap 127.0.0.1:1143`, one line for each address, then `ready`. */
function readyLines(listen: Listen): string {
  const lines = doorNames.flatMap(door =>
    (listen[door] ?? []).map(address => `${door} ${formatListenAddress(address)}`),
  )
  return `${[...lines, 'ready'].join('\n')}\n`
}

function plainListen(listen: Listen): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(listen).map(([door, addresses]) => [door, addresses.map(formatListenAddress)]),
  )
}
