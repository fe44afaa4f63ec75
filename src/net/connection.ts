// The one way every protocol talks to a peer: a reader that is asked, and a writer that gathers.
//
// Invariants:
// - One read at a time. What is buffered is given at once, without a promise; a wait first sends all that was written.
// - All output made while one input chunk is worked on goes out as one socket write.
// - Memory is bounded both ways: the socket is paused over `inputHighWaterBytes`, and a reader whose peer leaves
//   `outputHighWaterBytes` of answers unread gets no further command until he takes them.
// - What is read is a view of the socket's chunk. Copy what outlives the command.
// - After the end (EOF, error, `destroy`) reads give undefined or throw ConnectionClosed, writes are dropped, and nothing is thrown at the process.
// - An incomplete line at EOF is no line: a command that was cut off is never run.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions as TlsClientOptions } from 'node:tls'
import type { Awaitable } from '../base/awaitable.ts'
import { limits } from '../base/limits.ts'
import { ConnectionError } from './connection-error.ts'
import { Deadline, type Deadlines } from './deadlines.ts'
import { type Secured, secureAsClient, secureAsServer, type TlsProvider } from './handshake.ts'
import { InputBuffer, type LineEnding } from './input-buffer.ts'
import { isLoopback, normalizeIp } from './ip.ts'
import { OutputQueue } from './output-queue.ts'
import { ReadDeadline, type Wait } from './read-deadline.ts'
import type { TlsInfo } from './tls-info.ts'
import { turnQueue } from './turn-queue.ts'

export type NetLimits = { readonly [Name in keyof typeof limits.net]: number }

/** Addresses of both ends; a unix socket has the path '' and port 0. */
export interface Endpoints {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** A proxy said so: never trusted as loopback. */
  readonly isProxied?: boolean
}

export interface ConnectionOptions {
  readonly deadlines: Deadlines
  /** A short id for traces; made up when absent. */
  readonly id?: string
  /** Of a socket that has already shaken hands. */
  readonly tls?: TlsInfo
  /** The real ends, when a proxy stands between. */
  readonly endpoints?: Endpoints
  /** Changes to `limits.net`, for this connection. */
  readonly limits?: Partial<NetLimits>
}

/** Why a session is asked to end: the server goes down, or the account that has logged in is not what it was. */
export type StopReason = 'server' | 'account'

/** What `waitForInput` saw. */
export type InputEvent = 'input' | 'end' | 'woken' | 'timeout'

export class Connection {
  readonly id: string
  readonly remoteAddress: string
  readonly remotePort: number
  /** From this machine: a loopback address or a unix socket, and no proxy between. */
  readonly isLoopback: boolean
  readonly #endpoints: Endpoints
  readonly #limits: NetLimits
  readonly #deadlines: Deadlines
  readonly #deadline: Deadline
  readonly #input = new InputBuffer()
  #stream: Duplex
  /** The TCP or TLS socket under any wrapping; what STARTTLS wraps. */
  #socket: Socket
  #tls: TlsInfo | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  #isEnded = false
  #isPaused = false
  #isUpgrading = false
  #error: Error | undefined
  /** End the one pending read or wait for input. */
  #resolve: ((event: InputEvent) => void) | undefined
  #reject: ((error: ConnectionError) => void) | undefined
  #isWoken = false
  readonly #read: ReadDeadline
  // Times by `#deadlines.now()`.
  #drainAt = Infinity
  #lingerAt = Infinity
  #turnStartedAt: number
  readonly #output = new OutputQueue()
  #drained: { promise: Promise<void>; settle: (error?: ConnectionError) => void } | undefined
  #closed: PromiseWithResolvers<void> | undefined
  #onClose: (() => void)[] | undefined
  #onShutdown: (() => void) | undefined
  #stopReason: StopReason | undefined

  /** Takes over `socket`; make it with `allowHalfOpen`, so that a client who has said all still gets his answers. */
  constructor(socket: Socket, options: ConnectionOptions) {
    this.id = options.id ?? shortId()
    const endpoints: Endpoints = options.endpoints ?? new SocketEndpoints(socket)
    this.#endpoints = endpoints
    this.remoteAddress = endpoints.remoteAddress
    this.remotePort = endpoints.remotePort
    this.isLoopback =
      !endpoints.isProxied && (endpoints.remoteAddress === '' || isLoopback(endpoints.remoteAddress))
    this.#limits = options.limits ? { ...limits.net, ...options.limits } : limits.net
    this.#deadlines = options.deadlines
    this.#read = new ReadDeadline(this.#limits)
    this.#deadline = new Deadline(this.#due)
    this.#turnStartedAt = this.#deadlines.now()
    this.#tls = options.tls
    this.#socket = socket
    this.#stream = socket
    this.#attach(socket)
  }

  get localAddress(): string {
    return this.#endpoints.localAddress
  }

  get localPort(): number {
    return this.#endpoints.localPort
  }

  /** Whether TLS protects it. */
  get secure(): boolean {
    return this.#tls !== undefined
  }

  get tls(): TlsInfo | undefined {
    return this.#tls
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Why the socket failed, for the log. */
  get error(): Error | undefined {
    return this.#error
  }

  /** How the last line ended, before its reader reads on: SMTP refuses a bare LF. */
  get lineEnding(): LineEnding {
    return this.#input.lineEnding
  }

  /** Whether a loop may go on without waiting for the peer. */
  get hasBufferedInput(): boolean {
    return this.#input.byteLength > 0
  }

  /** Bytes that the peer has not taken yet, as far as this side knows. */
  get outputBytes(): number {
    return this.#output.length + this.#stream.writableLength
  }

  // Reading

  /**
   * The next line without its CRLF or LF (see `lineEnding`; a bare CR stays in the line), undefined at the end.
   * `maxBytes` bounds it without its ending; past it throws LineTooLong, with the line still there for `skipLine`.
   * Throws DeadlineExceeded. Waits, though input is there, while the peer leaves too many answers unread or after `turnMs` without a pause.
   */
  readLine(maxBytes: number): Awaitable<Buffer | undefined> {
    this.#assertNoRead()
    if (this.#mayGoOn()) {
      const line = this.#input.takeLine(maxBytes)
      if (line !== undefined) {
        this.#read.lineEnded()
        this.#continue()
        return line
      }
      if (this.#isEnded) return undefined
    }
    return this.#waitForLine(maxBytes)
  }

  async #waitForLine(maxBytes: number): Promise<Buffer | undefined> {
    if (!this.#mayGoOn()) await this.#giveWay()
    for (;;) {
      const line = this.#input.takeLine(maxBytes)
      if (line !== undefined || this.#isEnded) {
        this.#read.lineEnded()
        this.#continue()
        return line
      }
      await this.#more('line')
    }
  }

  /**
   * Throws away the rest of a line that was too long, in bounded memory, up to and including its LF.
   * False when the connection ended first. Throws LineTooLong again past `limits.net.skipLineBytes`, and DeadlineExceeded.
   */
  async skipLine(): Promise<boolean> {
    this.#assertNoRead()
    let skippedBytes = 0
    for (;;) {
      const before = this.#input.byteLength
      if (this.#input.skipLine()) {
        this.#read.lineEnded()
        this.#continue()
        return true
      }
      skippedBytes += before
      if (this.#isEnded) return false
      if (skippedBytes > this.#limits.skipLineBytes) {
        throw new ConnectionError('LineTooLong', 'a line has no end')
      }
      await this.#more('line')
    }
  }

  /** Exactly `count` bytes, for small literals: the caller bounds `count`. Throws ConnectionClosed when there are fewer, and DeadlineExceeded. */
  readBytes(count: number): Awaitable<Buffer> {
    assertCount(count)
    this.#assertNoRead()
    if (this.#input.byteLength < count) return this.#waitForBytes(count)
    const bytes = this.#input.take(count)
    this.#continue()
    return bytes
  }

  async #waitForBytes(count: number): Promise<Buffer> {
    while (this.#input.byteLength < count) {
      if (this.#isEnded) throw cutOff()
      await this.#more('body')
    }
    const bytes = this.#input.take(count)
    this.#continue()
    return bytes
  }

  /**
   * Streams exactly `count` bytes to `sink`, which holds the peer back while its promise is pending.
   * A chunk is a view that is the sink's until its promise settles; copy it to keep it. Throws ConnectionClosed, DeadlineExceeded, and what `sink` throws
   * (the bytes that it did not take are then still unread).
   */
  async readTo(count: number, sink: (chunk: Buffer) => Awaitable<void>): Promise<void> {
    assertCount(count)
    let rest = count
    while (rest > 0) {
      const chunk = this.#takeChunk(rest)
      if (chunk === undefined) {
        if (this.#isEnded) throw cutOff()
        await this.#more('body')
        continue
      }
      rest -= chunk.length
      const taken = sink(chunk)
      if (taken !== undefined) await taken
      else if (!this.#isInTurn()) await this.breathe()
    }
  }

  /** The next chunk of whatever size, undefined at the end. Give back with `unread` what is not yours. Throws DeadlineExceeded. */
  readChunk(): Awaitable<Buffer | undefined> {
    const chunk = this.#takeChunk(Infinity)
    if (chunk !== undefined || this.#isEnded) return chunk
    return this.#waitForChunk()
  }

  async #waitForChunk(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#takeChunk(Infinity)
      if (chunk !== undefined || this.#isEnded) return chunk
      await this.#more('body')
    }
  }

  #takeChunk(maxBytes: number): Buffer | undefined {
    this.#assertNoRead()
    const chunk = this.#input.takeChunk(maxBytes)
    if (chunk !== undefined) this.#continue()
    return chunk
  }

  /** Puts back the rest of a chunk, to be read again. */
  unread(rest: Buffer): void {
    this.#input.unread(rest)
  }

  /**
   * Waits until there is input (and leaves it unread), the peer has ended, `wake()` was called (since the last wait), or `timeoutMs` have passed:
   * IDLE's and NOTIFY's wait for a client or a hint. Throws DeadlineExceeded at the deadline.
   */
  waitForInput(timeoutMs = Infinity): Awaitable<InputEvent> {
    this.#assertNoRead()
    return this.#inputEvent() ?? this.#more('input', timeoutMs)
  }

  #inputEvent(): InputEvent | undefined {
    if (this.#isWoken) {
      this.#isWoken = false
      return 'woken'
    }
    if (this.#input.byteLength > 0) return 'input'
    return this.#isEnded ? 'end' : undefined
  }

  /** Ends a `waitForInput`, now or the next one: something happened elsewhere. A read goes on waiting. */
  wake(): void {
    this.#isWoken = true
    if (this.#read.wait === 'input') this.#settleWait(undefined)
  }

  /** Lets other connections run if this one has kept the event loop for `limits.net.turnMs`. Call it in long loops. */
  breathe(): Awaitable<void> {
    if (this.#isInTurn()) return undefined
    return this.#nextTurn()
  }

  /**
   * The peer has `ms` from now: a line must be there whole; the bytes of a body must go on coming, each within `ms` of the last and
   * on the whole no slower than `limits.net.minBytesPerSecond`. Stays until it is set again; Infinity takes it off.
   */
  setDeadline(ms: number): void {
    this.#read.set(this.#deadlines.now(), ms)
  }

  // Writing

  /** Queues `data` (a string as UTF-8), which must not change any more. Dropped when the connection has ended. */
  write(data: Buffer | string): void {
    if (this.#state !== 'open') return
    this.#output.add(data)
    if (this.#output.length >= this.#limits.writeBatchBytes && !this.#isUpgrading) this.flush()
  }

  /** Gives the socket all that was written, as one write. */
  flush(): void {
    if (this.#output.length > 0 && !this.#isUpgrading) this.#output.flushTo(this.#stream)
  }

  /**
   * Waits while the peer has more than `outputHighWaterBytes` to take. A peer who takes too long is destroyed.
   * Throws DeadlineExceeded then, and ConnectionClosed when the connection has ended: stop producing.
   */
  drain(): Awaitable<void> {
    if (this.#state !== 'open') throw closedError()
    if (this.outputBytes <= this.#limits.outputHighWaterBytes) return undefined
    this.flush()
    return this.#waitForDrain()
  }

  #waitForDrain(): Promise<void> {
    if (this.#drained) return this.#drained.promise
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const settle = (error?: ConnectionError) => {
      this.#drained = undefined
      this.#drainAt = Infinity
      this.#stream.off('drain', onDrain)
      if (error) reject(error)
      else resolve()
    }
    // The socket says 'drain' when it has nothing left, but only if it was over a mark of its own.
    const onDrain = () => settle()
    this.#drained = { promise, settle }
    if (this.#stream.writableNeedDrain) this.#stream.on('drain', onDrain)
    else this.#stream.write('', onDrain)
    // More than the mark at once (one big write) gets more time, at the same least speed.
    const marks = Math.max(1, this.outputBytes / this.#limits.outputHighWaterBytes)
    this.#drainAt = this.#deadlines.now() + this.#limits.drainMs * marks
    this.#schedule()
    return promise
  }

  // TLS and other layers

  /**
   * Speaks TLS from here on, as the server, after what was written (the OK to STARTTLS) is sent. All that the client sent in the clear
   * behind STARTTLS is dropped (CVE-2011-0411). Throws TlsFailed, with the connection destroyed. What the session has learnt before, the caller forgets.
   */
  startTls(provider: TlsProvider): Promise<void> {
    return this.#secure(raw => secureAsServer(raw, provider, this.#limits.handshakeMs))
  }

  /** The same as the client: of a server that has agreed to STARTTLS. */
  startTlsAsClient(options: TlsClientOptions): Promise<void> {
    return this.#secure(raw => secureAsClient(raw, options, this.#limits.handshakeMs))
  }

  async #secure(handshake: (raw: Socket) => Promise<Secured>): Promise<void> {
    this.#assertNoRead()
    if (this.#tls || this.#stream !== this.#socket) throw new Error('TLS within TLS or within a transform')
    const raw = this.#socket
    // First stop listening, then drop what came in the clear, then say OK: what arrives from here on is the ClientHello.
    this.#detach(raw)
    raw.pause()
    this.#input.clear()
    while (raw.read() !== null);
    const sent = this.#sent()
    this.#isUpgrading = true
    try {
      await sent
      if (this.#state !== 'open' || raw.destroyed) throw closedError()
      const { socket, info } = await handshake(raw)
      if (this.isClosed) {
        socket.destroy()
        throw closedError()
      }
      raw.off('close', this.#onStreamClose)
      this.#socket = socket
      this.#stream = socket
      this.#tls = info
      this.#attach(socket)
    } catch (error) {
      this.#fail(error)
      throw error
    } finally {
      this.#isUpgrading = false
    }
  }

  /**
   * Puts a layer such as COMPRESS=DEFLATE (RFC 4978) between the protocol and the socket, after what was written is sent.
   * `transform` gets the stream below, with all unread input put back, and gives the stream to use from here on; it passes on ends and errors.
   */
  async wrap(transform: (inner: Duplex) => Duplex): Promise<void> {
    this.#assertNoRead()
    await this.#sent()
    if (this.#state !== 'open') throw closedError()
    const inner = this.#stream
    this.#detach(inner)
    inner.pause()
    if (this.#input.byteLength > 0) inner.unshift(Buffer.from(this.#input.take(this.#input.byteLength)))
    this.#stream = transform(inner)
    this.#attach(this.#stream)
  }

  /** Everything written so far has been handed to the system, or the connection has ended; a peer who takes nothing is destroyed. */
  #sent(): Promise<void> {
    this.flush()
    this.#drainAt = this.#deadlines.now() + this.#limits.drainMs
    this.#schedule()
    return new Promise(resolve => {
      this.#stream.write('', () => {
        this.#drainAt = Infinity
        resolve()
      })
    })
  }

  // Ending

  /** Sends what was written, then ends; gives the peer `limits.net.lingerMs` to take it. Pending and later reads see the end. */
  close(): void {
    if (this.#state !== 'open') return
    this.flush()
    this.#state = 'closing'
    this.#isEnded = true
    this.#input.clear()
    this.#stream.end()
    // Go on reading into nothing: closing over unread input would reset the connection and lose the last answer.
    this.#isPaused = false
    this.#stream.resume()
    this.#lingerAt = this.#deadlines.now() + this.#limits.lingerMs
    this.#schedule()
    this.#settleWait(undefined)
    this.#drained?.settle(closedError())
  }

  /** Ends at once, with whatever is unsent. */
  destroy(): void {
    this.#input.clear()
    this.#socket.destroy()
    this.#stream.destroy()
    this.#ended()
  }

  /** Resolves when the connection is closed, however. */
  get closed(): Promise<void> {
    this.#closed ??= Promise.withResolvers()
    if (this.isClosed) this.#closed.resolve()
    return this.#closed.promise
  }

  /** Calls `callback` once when the connection is closed, however; at once if it is. */
  onClose(callback: () => void): void {
    if (this.isClosed) callback()
    // Of the size that it needs: an idle connection keeps it.
    else this.#onClose = this.#onClose?.concat(callback) ?? [callback]
  }

  /** Whether the session was asked to end: finish the command, say farewell, `close()`. */
  get isStopping(): boolean {
    return this.#stopReason !== undefined
  }

  /** Why it was, for the farewell. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason
  }

  /** Calls `callback` (in place of an earlier one) when sessions are asked to end; without one the connection is closed then. */
  onShutdown(callback: () => void): void {
    this.#onShutdown = callback
    if (this.isStopping) callback()
  }

  /** Asks the session to end. */
  shutdown(reason: StopReason = 'server'): void {
    if (this.isStopping) return
    this.#stopReason = reason
    if (this.#onShutdown) this.#onShutdown()
    else this.close()
  }

  // The stream's events

  #attach(stream: Duplex): void {
    stream.on('data', this.#onData)
    stream.on('end', this.#onEnd)
    stream.on('error', this.#onError)
    stream.on('close', this.#onStreamClose)
    this.#isPaused = false
    // Its 'close' may have been said already, to who made it ready for us.
    if (stream.destroyed) this.#ended()
    else stream.resume()
  }

  #detach(stream: Duplex): void {
    stream.off('data', this.#onData)
    stream.off('end', this.#onEnd)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state !== 'open') return
    this.#input.push(chunk)
    this.#read.received(chunk.length)
    this.#settleWait(undefined)
    this.#pauseWhenFull()
  }

  readonly #onEnd = (): void => {
    this.#isEnded = true
    this.#settleWait(undefined)
  }

  readonly #onError = (error: Error): void => {
    this.#error ??= error
  }

  readonly #onStreamClose = (): void => {
    this.#ended()
  }

  #ended(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#isEnded = true
    this.#output.clear()
    this.#deadlines.remove(this.#deadline)
    this.#settleWait(undefined)
    this.#drained?.settle(closedError())
    this.#closed?.resolve()
    const callbacks = this.#onClose
    this.#onClose = undefined
    this.#onShutdown = undefined
    for (const callback of callbacks ?? []) callback()
  }

  #fail(error: unknown): void {
    this.#error ??= error instanceof Error ? error : new Error(String(error))
    this.destroy()
  }

  // Waiting

  /** Sends what was written and waits for input, the end, or what `wait` is due at. */
  #more(wait: Wait, timeoutMs = Infinity): Promise<InputEvent> {
    this.flush()
    this.#input.compact()
    if (this.#isPaused) this.#resumeReading()
    this.#read.begin(wait, this.#deadlines.now(), this.#input.byteLength > 0, timeoutMs)
    this.#schedule()
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  #settleWait(error: ConnectionError | undefined): void {
    const resolve = this.#resolve
    const reject = this.#reject
    if (!resolve || !reject) return
    this.#turnStartedAt = this.#deadlines.now()
    this.#resolve = undefined
    this.#reject = undefined
    // Only a wait for input takes note of what ended it.
    const event = (this.#read.wait === 'input' ? this.#inputEvent() : undefined) ?? 'timeout'
    this.#read.end(this.#turnStartedAt)
    if (error) return reject(error)
    if (turnQueue.hasRoom()) return resolve(event)
    turnQueue.wait(() => {
      this.#turnStartedAt = this.#deadlines.now()
      resolve(event)
    })
  }

  #schedule(): void {
    const readAt = Math.min(this.#read.dueAt(), this.#read.timeoutAt())
    this.#deadlines.set(this.#deadline, Math.min(readAt, this.#drainAt, this.#lingerAt))
  }

  readonly #due = (): void => {
    const now = this.#deadlines.now()
    if (this.#lingerAt <= now) return this.destroy()
    if (this.#drainAt <= now) {
      const error = new ConnectionError('DeadlineExceeded', 'the peer does not take what it is sent')
      this.#drained?.settle(error)
      return this.#fail(error)
    }
    if (this.#read.dueAt() <= now) {
      this.#settleWait(new ConnectionError('DeadlineExceeded', 'the peer is silent or too slow'))
    } else if (this.#read.timeoutAt() <= now) {
      this.#settleWait(undefined)
    }
    this.#schedule()
  }

  #isInTurn(): boolean {
    return this.#deadlines.now() - this.#turnStartedAt < this.#limits.turnMs
  }

  async #nextTurn(): Promise<void> {
    this.flush()
    await turnQueue.next()
    this.#turnStartedAt = this.#deadlines.now()
  }

  /** Whether input that is there may be worked on now. */
  #mayGoOn(): boolean {
    return this.outputBytes <= this.#limits.outputHighWaterBytes && this.#isInTurn()
  }

  async #giveWay(): Promise<void> {
    if (this.#state === 'open') await this.drain()
    if (!this.#isInTurn()) await this.#nextTurn()
  }

  // Bounds

  #pauseWhenFull(): void {
    if (this.#isPaused || this.#input.byteLength < this.#limits.inputHighWaterBytes) return
    this.#isPaused = true
    this.#stream.pause()
  }

  /** After something was taken. */
  #continue(): void {
    if (this.#isPaused && this.#input.byteLength < this.#limits.inputHighWaterBytes / 2) this.#resumeReading()
  }

  #resumeReading(): void {
    this.#isPaused = false
    this.#stream.resume()
  }

  #assertNoRead(): void {
    if (this.#resolve !== undefined) throw new Error('two reads of one connection at once')
  }
}

/** The addresses of a connected socket, v4-mapped ones as IPv4. Few ask for our own end, and the system is only asked when they do. */
export class SocketEndpoints implements Endpoints {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.remoteAddress = normalizeIp(socket.remoteAddress ?? '')
    this.remotePort = socket.remotePort ?? 0
    this.#socket = socket
  }

  get localAddress(): string {
    return normalizeIp(this.#socket.localAddress ?? '')
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0
  }
}

/** Tells connections apart in a log; it protects nothing. */
function shortId(): string {
  return Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}

function assertCount(count: number): void {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`not a count of bytes: ${count}`)
}

function cutOff(): ConnectionError {
  return new ConnectionError('ConnectionClosed', 'the connection ended in the middle')
}

function closedError(): ConnectionError {
  return new ConnectionError('ConnectionClosed', 'the connection is closed')
}
