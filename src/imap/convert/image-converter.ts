// Converts images in a process of its own, one after another. The library that does it (sharp) is an optional dependency: without it no image
// conversions are offered.
import { type ChildProcess, fork } from 'node:child_process'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { limits } from '../../base/limits.ts'
import type { ImageJob, ImageReady, ImageResult } from './image-job.ts'

/** What became of an image: the bytes, `refused` for good, or `busy` for now. */
export type ConvertedImage = Buffer | 'refused' | 'busy'

interface Waiting {
  readonly job: ImageJob
  readonly settle: (result: ConvertedImage) => void
}

export class ImageConverter {
  #child: ChildProcess | undefined
  #isAvailable: Promise<boolean> | undefined
  readonly #waiting: Waiting[] = []
  #running: Waiting | undefined
  #timer: NodeJS.Timeout | undefined
  #lastId = 0

  /** Whether the library is there and starts. Asked once. */
  isAvailable(): Promise<boolean> {
    return (this.#isAvailable ??= this.#probe())
  }

  async convert(job: Omit<ImageJob, 'id'>): Promise<ConvertedImage> {
    if (this.#waiting.length >= limits.convert.waitingImages) return 'busy'
    return new Promise(settle => {
      this.#waiting.push({ job: { ...job, id: ++this.#lastId }, settle })
      this.#next()
    })
  }

  /** Ends the process. */
  stop(): void {
    this.#end()
    for (const { settle } of this.#waiting.splice(0)) settle('busy')
  }

  #probe(): Promise<boolean> {
    return new Promise(resolve => {
      const child = this.#start()
      const timer = setTimeout(() => child.kill('SIGKILL'), limits.convert.startMs)
      timer.unref()
      child.once('message', () => resolve(true))
      child.once('exit', () => {
        clearTimeout(timer)
        resolve(false)
      })
      child.once('error', () => resolve(false))
    })
  }

  #start(): ChildProcess {
    const isTypeScript = import.meta.url.endsWith('.ts')
    const program = fileURLToPath(new URL(`./image-process.${isTypeScript ? 'ts' : 'js'}`, import.meta.url))
    const child = fork(program, {
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: ['--permission', '--allow-addons', ...readable(program), '--disable-warning=SecurityWarning'],
    })
    this.#child = child
    // Nobody waits for it: it goes with this process.
    child.unref()
    child.channel?.unref()
    child.on('message', (message: ImageReady | ImageResult) => {
      if (message.kind === 'ready') return
      if (message.id === this.#running?.job.id)
        this.#settle(message.kind === 'done' ? Buffer.from(message.bytes) : 'refused')
    })
    child.on('error', () => {})
    child.once('exit', () => {
      if (this.#child !== child) return
      this.#child = undefined
      // It died of the image, or is not installed.
      if (this.#running) this.#settle('refused')
    })
    return child
  }

  #next(): void {
    if (this.#running || this.#waiting.length === 0) return
    clearTimeout(this.#timer)
    const child = this.#child?.connected ? this.#child : this.#start()
    const running = this.#waiting.shift() as Waiting
    this.#running = running
    // A decoder that hangs is ended; the next image gets a new process.
    this.#timer = setTimeout(() => {
      this.#end()
      this.#settle('busy')
    }, limits.convert.timeoutMs)
    child.send(running.job, error => {
      if (error && this.#running === running) {
        this.#end()
        this.#settle('busy')
      }
    })
  }

  #settle(result: ConvertedImage): void {
    const running = this.#running
    this.#running = undefined
    clearTimeout(this.#timer)
    running?.settle(result)
    this.#next()
    if (this.#running) return
    // One that nobody needs gives its memory back.
    this.#timer = setTimeout(() => this.#end(), limits.convert.idleMs)
    this.#timer.unref()
  }

  #end(): void {
    const child = this.#child
    this.#child = undefined
    clearTimeout(this.#timer)
    child?.kill('SIGKILL')
  }
}

/** What the process may read: this program and its libraries. */
function readable(program: string): readonly string[] {
  const root = join(dirname(program), '..', '..', '..')
  const isInstalled = root.includes(`${sep}node_modules${sep}`)
  const folders = isInstalled
    ? [root.slice(0, root.lastIndexOf(`${sep}node_modules${sep}`) + 1)]
    : [`${root}${sep}`]
  return folders.map(folder => `--allow-fs-read=${folder}*`)
}
