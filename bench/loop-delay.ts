// How long the event loops of a running Restante's protocol threads were held up: asks each of them on its socket. And
// collects their garbage, which a quiet server does some time or other.
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
    const known = (await this.#askAll('.delay')).map(text => JSON.parse(text) as LoopDelay)
    return {
      p99Ms: Math.max(0, ...known.map(each => each.p99Ms)),
      longestMs: Math.max(0, ...known.map(each => each.longestMs)),
    }
  }

  /** Resolves when every protocol thread has collected its garbage. */
  async collect(): Promise<void> {
    await this.#askAll('.collect')
  }

  /** What each thread says on its socket of this kind. */
  async #askAll(kind: string): Promise<string[]> {
    const names = readdirSync(this.#folder).filter(name => name.endsWith(kind))
    const told = await Promise.all(names.map(name => ask(join(this.#folder, name))))
    return told.filter(text => text !== undefined)
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Undefined for a thread that has ended. */
function ask(path: string): Promise<string | undefined> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect(path)
    socket.on('data', chunk => (text += chunk.toString('latin1')))
    socket.once('end', () => resolve(text))
    socket.once('error', () => resolve(undefined))
  })
}
