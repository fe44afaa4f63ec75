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
  }
}
