// Lines of the log on their way to a file: gathered, since a write for each is a fiftieth of what a log-in costs.
//
// Invariants: lines stay in order; none waits longer than `limits.log.gatherMs` or behind more than `gatherCharacters`, nor past the end of its thread, be
// it by `process.exit` or by an error that nobody caught. Only an end from outside (SIGKILL, a thread that is terminated) can lose what waits.
import { limits } from '../base/limits.ts'

export class GatheredLines {
  readonly #write: (lines: string) => void
  #lines = ''
  #timer: NodeJS.Timeout | undefined

  constructor(write: (lines: string) => void) {
    this.#write = write
  }

  write(line: string): void {
    this.#lines += line
    if (this.#lines.length >= limits.log.gatherCharacters) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), limits.log.gatherMs).unref()
  }

  /** Writes what waits, at once. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#lines
    this.#lines = ''
    if (lines !== '') this.#write(lines)
  }
}
