// A byte stream to a server that costs the client next to nothing: chunks are kept as they come, and only
// the end of what has arrived is looked at, so that the client is never what a benchmark measures.
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface Endpoint {
  readonly port: number
  /** Implicit TLS; the certificate is not verified. */
  readonly tls?: boolean
  /** Where it connects from, when many connections want more ports than one address has. */
  readonly localAddress?: string
}

/** How many bytes at the end of what has arrived a waiter is shown. */
const tailBytes = 4096

interface Waiter {
  /** Bytes of the tail that belong to the answer, or undefined while it isn't complete. */
  readonly findEnd: (tail: Buffer) => number | undefined
  readonly keep: boolean
  readonly resolve: (chunks: Buffer[]) => void
  readonly reject: (reason: Error) => void
}

/** A connection on which one answer at a time is waited for. */
export class Stream {
  readonly #socket: Socket
  #chunks: Buffer[] = []
  #tail: Buffer = Buffer.alloc(0)
  #waiter: Waiter | undefined
  #failure: Error | undefined
  /** Bytes received since the connection began. */
  receivedBytes = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', error => this.#fail(error))
    socket.on('close', () => {
      const last = this.#tail.toString('latin1').slice(-200)
      this.#fail(new Error(`the server closed the connection${last === '' ? '' : ` after: ${last}`}`))
    })
  }

  static connect({ port, tls, localAddress }: Endpoint): Promise<Stream> {
    const place = { port, host: '127.0.0.1', ...(localAddress !== undefined && { localAddress }) }
    return new Promise((resolve, reject) => {
      const socket = tls === true ? connectTls({ ...place, rejectUnauthorized: false }) : connectTcp(place)
      socket.once('error', reject)
      socket.once(tls === true ? 'secureConnect' : 'connect', () => {
        socket.off('error', reject)
        resolve(new Stream(socket))
      })
    })
  }

  write(data: string | Buffer): void {
    if (this.#failure !== undefined) return
    this.#socket.write(data)
  }

  /** Everything up to where `findEnd` says that the answer ends. With `keep` false the bytes are only counted. */
  until(findEnd: Waiter['findEnd'], keep = true): Promise<Buffer[]> {
    if (this.#waiter !== undefined) return Promise.reject(new Error('already waiting for an answer'))
    return new Promise((resolve, reject) => {
      this.#waiter = { findEnd, keep, resolve, reject }
      this.#settle()
      if (this.#waiter !== undefined && this.#failure !== undefined) this.#fail(this.#failure)
    })
  }

  get isOpen(): boolean {
    return this.#failure === undefined && !this.#socket.destroyed
  }

  /** Resolves when the server has closed the connection, after reading what it still said. */
  closed(): Promise<void> {
    return new Promise(resolve => {
      if (this.#socket.closed) resolve()
      else this.#socket.once('close', () => resolve())
    })
  }

  /** Ends the connection at once; nothing is said to the server. */
  destroy(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.receivedBytes += chunk.length
    this.#chunks.push(chunk)
    this.#tail =
      chunk.length >= tailBytes
        ? chunk.subarray(chunk.length - tailBytes)
        : Buffer.concat([
            this.#tail.subarray(Math.max(0, this.#tail.length + chunk.length - tailBytes)),
            chunk,
          ])
    this.#settle()
  }

  #settle(): void {
    const waiter = this.#waiter
    if (waiter === undefined) return
    const end = waiter.findEnd(this.#tail)
    if (end === undefined) {
      if (!waiter.keep) this.#chunks = [this.#tail]
      return
    }
    const rest = this.#tail.subarray(end)
    const chunks = this.#chunks
    for (let surplus = rest.length; surplus > 0; ) {
      const last = chunks.pop()
      if (last === undefined) break
      if (last.length > surplus) chunks.push(last.subarray(0, last.length - surplus))
      surplus -= Math.min(surplus, last.length)
    }
    this.#tail = Buffer.from(rest)
    this.#chunks = rest.length > 0 ? [this.#tail] : []
    this.#waiter = undefined
    waiter.resolve(chunks)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    const waiter = this.#waiter
    this.#waiter = undefined
    waiter?.reject(new Error(error.message, { cause: error }))
  }
}
