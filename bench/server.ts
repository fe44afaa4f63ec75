// A mail server in a child process, as benchmarks and drills see it; and what starting one needs.
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Restante with its embedded store, or so many nodes of it on one PostgreSQL. */
export type ServerName = 'Dovecot' | 'Restante' | '1 node' | '2 nodes' | '3 nodes'

export interface Server {
  readonly name: ServerName
  readonly version: string
  /** The settings that matter to its speed, one line each. */
  readonly settings: readonly string[]
  /** Of several nodes, those whose turn it is. */
  readonly ports: Ports
  /** The roots of its process trees. */
  readonly pids: readonly number[]
  /** The data folder, where commands can be run on it. */
  readonly folder?: string
  /** How long event loops were held up since the last call; where the server has such and was started to tell. */
  takeLoopDelay?(): Promise<LoopDelay>
  /** Collects garbage, where the server has such and was started to do so. */
  collectGarbage?(): Promise<void>
  /** Ends it gracefully and starts it again over the same data (and perhaps on other ports), for as long as it runs then with this durability. */
  restart(durability?: Durability): Promise<void>
  stop(): Promise<void>
}

/** What kept the event loop of a protocol thread from looking after its connections; of the thread that had the most of it. */
export interface LoopDelay {
  readonly p99Ms: number
  readonly longestMs: number
}

/** What is synced before it is acknowledged: mail, or every change of flags as well. */
export type Durability = 'mail' | 'strict'

export interface Ports {
  readonly imap: number
  readonly imaps: number
  readonly pop3: number
  readonly pop3s: number
  readonly lmtp: number
  /** Dovecot receives by LMTP only. */
  readonly smtp?: number
  readonly submission?: number
  readonly submissions?: number
}

/** Every account's password. */
export const password = 'correct horse 7'

/** The domain of every account. */
export const domain = 'bench.test'

/** How many accounts benchmarks have, named by number. */
export const accountCount = 10_000

export function user(number: number): string {
  return `u${number}@${domain}`
}

/** A new folder of our own. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(process.env['RESTANTE_BENCH_TMP'] ?? tmpdir(), `${name}-`))
}

/** Ports that nothing listened on a moment ago, for servers that can't choose for themselves. */
export async function freePorts(count: number): Promise<number[]> {
  const listeners = await Promise.all(
    Array.from({ length: count }, async () => {
      const listener = createServer()
      await new Promise<void>((resolve, reject) => {
        listener.once('error', reject)
        listener.listen(0, '127.0.0.1', resolve)
      })
      return listener
    }),
  )
  const ports = listeners.map(listener => {
    const address = listener.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return address.port
  })
  await Promise.all(listeners.map(listener => new Promise(resolve => listener.close(resolve))))
  return ports
}

/** Resolves once something accepts connections on the port; fails when the process ends first. */
export async function accepting(port: number, child: ChildProcess, patienceMs = 15_000): Promise<void> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    if (await connects(port)) return
    if (performance.now() > deadline) throw new Error(`nothing listens on port ${port}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Sees to it that the process does not outlive us. */
export function endWithUs(child: ChildProcess): void {
  const end = () => child.kill(child.spawnfile.endsWith('dovecot') ? 'SIGTERM' : 'SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
}

/** Lets SIGINT and SIGTERM end the program as usual, after its exit handlers. */
export function exitOnSignals(): void {
  // Each server and each client process beside us has one.
  process.setMaxListeners(100)
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
}

/** Resolves when the process has ended. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => child.once('exit', () => resolve()))
}

function connects(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
