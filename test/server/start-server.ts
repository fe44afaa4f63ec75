// A server as a process of its own, for tests: started, asked, ended.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const main = new URL('../../src/main.ts', import.meta.url).pathname
const nodeArgs = ['--disable-warning=ExperimentalWarning', main]

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a command to its end. */
export function run(
  args: readonly string[],
  { stdin = '', env = {} }: { stdin?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [...nodeArgs, ...args], { env: { ...cleanEnv(), ...env } })
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  return ended(child)
}

function cleanEnv(): NodeJS.ProcessEnv {
  const { RESTANTE_DATA: _data, RESTANTE_CONFIG: _config, INIT_CWD: _cwd, ...env } = process.env
  return env
}

function ended(child: ChildProcess): Promise<Ran> {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
  return new Promise(resolve => child.on('close', code => resolve({ code, out, err })))
}

export class ServerProcess {
  readonly child: ChildProcess
  readonly dataDir: string
  readonly ports = new Map<string, number>()
  /** Each line of the log. */
  readonly log: Record<string, unknown>[] = []
  readonly ran: Promise<Ran>
  #waiting: (() => void)[] = []

  private constructor(child: ChildProcess, dataDir: string) {
    this.child = child
    this.dataDir = dataDir
    this.ran = ended(child)
    if (child.stderr) {
      createInterface({ input: child.stderr }).on('line', line => {
        try {
          this.log.push(JSON.parse(line) as Record<string, unknown>)
        } catch {
          this.log.push({ msg: line })
        }
        for (const wake of this.#waiting.splice(0)) wake()
      })
    }
  }

  /** Starts `serve` on free ports and waits until it is ready. It is killed at the end of the test if need be. */
  static async start(
    context: TestContext,
    {
      args = [],
      doors = ['imap', 'smtp', 'http'],
      dataDir,
      env = {},
    }: {
      args?: readonly string[]
      doors?: readonly string[]
      dataDir?: string
      env?: Record<string, string>
    } = {},
  ): Promise<ServerProcess> {
    const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'restante-serve-'))
    const listen = doors.flatMap(door => ['--listen', `${door}=127.0.0.1:0`])
    const child = spawn(process.execPath, [...nodeArgs, 'serve', '--data', folder, ...listen, ...args], {
      env: { ...cleanEnv(), ...env },
    })
    context.after(() => child.kill('SIGKILL'))
    const server = new ServerProcess(child, folder)
    await server.#ready()
    return server
  }

  port(door: string): number {
    const port = this.ports.get(door)
    if (port === undefined) throw new Error(`${door} is not open`)
    return port
  }

  /** Resolves with the first line of the log, of the past or to come, with this message. */
  async logged(message: string, from = 0): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.log.slice(from).find(line => line['msg'] === message)
      if (found) return found
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.port('http')}${path}`)
    return { status: response.status, body: await response.text() }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.child.stdout) throw new Error('the server has no output')
      createInterface({ input: this.child.stdout }).on('line', line => {
        if (line === 'ready') resolve()
        const match = /^(\w+) 127\.0\.0\.1:(\d+)$/.exec(line)
        if (match?.[1] !== undefined) this.ports.set(match[1], Number(match[2]))
      })
      void this.ran.then(({ code, err }) => reject(new Error(`the server ended with ${code}: ${err}`)))
    })
  }
}
