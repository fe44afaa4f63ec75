// Where a command reads and writes: the process's own streams, or a test's.
import type { Readable } from 'node:stream'

export interface Terminal {
  readonly stdin: Readable
  /** Whether a person may be asked. */
  readonly isInteractive: boolean
  /** Whether progress may be drawn over itself. */
  readonly isTty: boolean
  readonly columns: number
  out(text: string): void
  err(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  /** What relative paths are relative to: the caller's folder, also under `npm run`. */
  readonly cwd: string
  /** Begins the program anew in this process, with more in its environment, and does not return; undefined where the process is not the program's own. */
  readonly beginAnew?: (env: Readonly<Record<string, string>>) => void
}

/** The process's. */
export function processTerminal(): Terminal {
  return {
    stdin: process.stdin,
    isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    isTty: process.stderr.isTTY,
    columns: process.stderr.columns ?? 80,
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    env: process.env,
    // npm runs scripts in the package's folder and tells where it was called.
    cwd: process.env['INIT_CWD'] ?? process.cwd(),
    ...(mayBeginAnew() && { beginAnew }),
  }
}

/** A signal of V8's profiler that is under way would end what begins. */
function mayBeginAnew(): boolean {
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] ?? '']
  return process.execve !== undefined && !flags.some(flag => flag.includes('--cpu-prof'))
}

function beginAnew(env: Readonly<Record<string, string>>): void {
  const { execPath, execArgv, argv } = process
  process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...process.env, ...env })
}
