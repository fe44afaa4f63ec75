// A command's side of the control socket.
import { connect, type Socket } from 'node:net'
import { ControlError } from './control-error.ts'
import { shortSocketPath } from './socket-path.ts'
import { encodeFrame, FrameReader } from './control-frame.ts'

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

export class ControlClient {
  readonly #socket: Socket
  readonly #waiting = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >()
  readonly #reader = new FrameReader()
  #nextId = 1

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', error => this.#end(error))
    socket.on('close', () => this.#end(undefined))
  }

  /** Connects to the server that runs on a store; undefined when none does. Throws ControlError `unreachable` when it may not. */
  static async connect(path: string): Promise<ControlClient | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let release = () => {}
    let socket: Socket
    try {
      const short = shortSocketPath(path)
      release = () => short.release()
      socket = connect(short.path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    socket.once('connect', resolve)
    socket.once('error', reject)
    try {
      await promise
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Nothing there, or left over from a server that crashed.
      if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') return undefined
      throw new ControlError('unreachable', `the running server cannot be reached at ${path} (${code})`, {
        cause: error,
      })
    } finally {
      release()
    }
    socket.off('error', reject)
    return new ControlClient(socket)
  }

  /** Asks, and waits for the answer. Throws ControlError. */
  call(operation: string, args: unknown): Promise<unknown> {
    if (this.#socket.destroyed) return Promise.reject(gone(undefined))
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const frame = encodeFrame({ id, operation, args })
    this.#waiting.set(id, { resolve, reject })
    this.#socket.write(frame)
    return promise
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    let answers: unknown[]
    try {
      answers = this.#reader.push(chunk)
    } catch (error) {
      this.#socket.destroy(error as Error)
      return
    }
    for (const answer of answers as Answer[]) {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if (answer.error) waiting?.reject(new ControlError(answer.error.code, answer.error.message))
      else waiting?.resolve(answer.result)
    }
  }

  #end(cause: Error | undefined): void {
    for (const { reject } of this.#waiting.values()) reject(gone(cause))
    this.#waiting.clear()
  }
}

function gone(cause: Error | undefined): ControlError {
  return new ControlError(
    'unreachable',
    'the server has closed the connection; it may be stopping. Try again.',
    { cause },
  )
}
