// How long the event loops of a running Restante's protocol threads were held up: asks each of them on its socket.
import { readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type LoopDelay, temporaryFolder } from './server.ts'

export class LoopDelayReader {
  readonly #folder = temporaryFolder('bench-loops')
  /** Puts loop-delay-preload.ts before the server's own program. */
  readonly nodeFlags = ['--import', join(import.meta.dirname, 'loop-delay-preload.ts')]

  get environment(): NodeJS.ProcessEnv {
    return { RESTANTE_BENCH_LOOPS: this.#folder }
  }

  /** What was since the last call, or since the threads began. */
  async take(): Promise<LoopDelay> {
    const told = await Promise.all(readdirSync(this.#folder).map(name => ask(join(this.#folder, name))))
    const known = told.filter(each => each !== undefined)
    return {
      p99Ms: Math.max(0, ...known.map(each => each.p99Ms)),
      longestMs: Math.max(0, ...known.map(each => each.longestMs)),
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Undefined for a thread that has ended. */
function ask(path: string): Promise<LoopDelay | undefined> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect(path)
    socket.on('data', chunk => (text += chunk.toString('latin1')))
    socket.once('end', () => resolve(JSON.parse(text) as LoopDelay))
    socket.once('error', () => resolve(undefined))
  })
}
