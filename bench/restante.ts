// Restante as a child process over a temporary folder, with what it asks of a server to be measured.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LoopDelayReader } from './loop-delay.ts'
import {
  accountCount,
  type Durability,
  ended,
  endWithUs,
  password,
  type Ports,
  type Server,
  temporaryFolder,
  user,
} from './server.ts'

const root = join(import.meta.dirname, '..')
const main = join(root, 'src', 'main.ts')
const listeners = ['imap', 'imaps', 'pop3', 'pop3s', 'lmtp', 'smtp', 'submission', 'submissions'] as const

/** The port of each listener of a running Restante. */
export type RestantePorts = Required<Ports>

/** A running `restante serve`. */
export interface Serving {
  readonly child: ChildProcess
  readonly ports: RestantePorts
  /** Milliseconds from the spawn to the line that says it is ready. */
  readonly readyMs: number
}

export interface ServeOptions {
  /** For Node itself, such as `--import FILE` or `--cpu-prof`. */
  readonly nodeFlags?: readonly string[]
  /** Where the data goes, to stay there; without it a temporary folder. */
  readonly folder?: string
  /** Ports of listeners that are not to be any free one. */
  readonly ports?: Partial<RestantePorts>
  /** More arguments of `serve`. */
  readonly args?: readonly string[]
  /** Where its protocol threads tell how long their event loops were held up, and collect garbage. */
  readonly loopDelay?: LoopDelayReader
}

/** Accounts from this number on are made without the command, which hashes each password. */
const manyAccounts = 100

/** Starts Restante with the accounts of server.ts. */
export async function startRestante(count = accountCount, options: ServeOptions = {}): Promise<Server> {
  const { loopDelay } = options
  const folder = options.folder ?? temporaryFolder('bench-restante')
  if (count < manyAccounts) {
    const accounts = Array.from({ length: count }, (_, number) => `${user(number)}:${password}\n`)
    await addAccounts(folder, accounts.join(''))
  } else await (await import('./account-rows.ts')).makeAccounts(folder, count)
  let serving = await serve(folder, options)
  return {
    name: 'Restante',
    version: version(),
    settings,
    folder,
    get ports() {
      return serving.ports
    },
    get pids() {
      return [serving.child.pid ?? 0]
    },
    async restart(durability = 'mail') {
      await terminate(serving.child)
      serving = await serve(folder, {
        ...options,
        args: [...(options.args ?? []), ...argsOf(folder, durability)],
      })
      await loopDelay?.take() // the start is no workload
    },
    ...(loopDelay && {
      takeLoopDelay: () => loopDelay.take(),
      collectGarbage: () => loopDelay.collect(),
    }),
    async stop() {
      await terminate(serving.child)
      loopDelay?.close()
      if (options.folder === undefined) remove(folder)
    },
  }
}

/** A configuration beside the data for what is not the default. */
function argsOf(folder: string, durability: Durability): readonly string[] {
  if (durability === 'mail') return []
  const file = `${folder}.toml`
  writeFileSync(file, `[store]\ndurability = "${durability}"\n`)
  return ['--config', file]
}

const settings = [
  'defaults: SQLite store, one protocol thread for each CPU, mail is synced before it is acknowledged, flags are not',
  'argon2id passwords with the cache of verified log-ins; plain text allowed on loopback; TLS with the self-signed certificate of the first start',
]

/** Removes the data and the log. */
export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  for (const beside of [logOf(folder), `${folder}.toml`]) rmSync(beside, { force: true })
}

/** Runs one command of the program on this data to its end; gives what it printed, fails when it fails. */
export async function restante(folder: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(process.execPath, [...nodeFlags, main, ...args, '--data', folder], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment(),
  })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  child.stdin.on('error', () => {}) // it ended without reading its input; its exit code says why
  child.stdin.end(input)
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  const printed = Buffer.concat(output).toString('utf8')
  if (code !== 0)
    throw new Error(
      `restante ${args.join(' ')}: ${code}\n${printed}${Buffer.concat(errors).toString('utf8')}`,
    )
  return printed
}

/** Adds accounts from lines of ADDRESS:PASSWORD. */
export async function addAccounts(folder: string, lines: string): Promise<void> {
  const file = join(temporaryFolder('accounts'), 'accounts')
  writeFileSync(file, lines, { mode: 0o600 })
  await restante(folder, ['account', 'add', '--from', file])
  rmSync(join(file, '..'), { recursive: true, force: true })
}

/** Starts `serve` with all listeners on free ports of loopback and waits until it is ready. */
export async function serve(folder: string, options: ServeOptions = {}): Promise<Serving> {
  const startedAt = performance.now()
  const args = listeners.flatMap(name => ['--listen', `${name}=127.0.0.1:${options.ports?.[name] ?? 0}`])
  const log = openSync(logOf(folder), 'a')
  const child = spawn(
    process.execPath,
    [
      ...nodeFlags,
      ...(options.loopDelay?.nodeFlags ?? []),
      ...(options.nodeFlags ?? []),
      main,
      'serve',
      '--data',
      folder,
      ...args,
      ...(options.args ?? []),
    ],
    {
      stdio: ['ignore', 'pipe', log],
      env: { ...environment(), ...options.loopDelay?.environment },
    },
  )
  closeSync(log)
  endWithUs(child)
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      if (isReady(output)) return
      output += chunk.toString('utf8')
      if (isReady(output)) {
        resolve({ child, ports: portsOf(output), readyMs: performance.now() - startedAt })
      }
    })
    child.once('error', reject)
    child.once('exit', code => {
      const log = readFileSync(logOf(folder), 'utf8').slice(-4000)
      reject(new Error(`restante serve ended with ${code} before it was ready\n${output}${log}`))
    })
  })
}

/** Where the server's log goes: beside its data, so that the client spends no time on it. */
export function logOf(folder: string): string {
  return `${folder}.log`
}

/** Ends it gracefully. */
export async function terminate(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await ended(child)
}

const nodeFlags = ['--disable-warning=ExperimentalWarning']

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile') }
}

/** What `serve` prints when it can be used: `imap 127.0.0.1:1143` for each address, then `ready`. */
function isReady(output: string): boolean {
  return /^ready$/m.test(output)
}

function portsOf(output: string): RestantePorts {
  const port = (name: string) => {
    const found = new RegExp(`^${name} \\S+:(\\d+)$`, 'm').exec(output)?.[1]
    if (found === undefined) throw new Error(`serve has no ${name}\n${output}`)
    return Number(found)
  }
  return {
    imap: port('imap'),
    imaps: port('imaps'),
    pop3: port('pop3'),
    pop3s: port('pop3s'),
    lmtp: port('lmtp'),
    smtp: port('smtp'),
    submission: port('submission'),
    submissions: port('submissions'),
  }
}

/** Of the program. */
export function version(): string {
  return /"version": "([^"]+)"/.exec(readFileSync(join(root, 'package.json'), 'utf8'))?.[1] ?? 'unknown'
}
