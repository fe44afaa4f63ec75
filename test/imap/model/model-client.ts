// One client of the model: its connection, what it has switched on, and what it believes.
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { endOfResponse, flawOf } from '../fuzz/response.ts'
import { Belief, type Cache, type Moment, type Switches, violation } from './belief.ts'

export interface Reply {
  readonly status: string
  readonly tagged: string
  readonly untagged: readonly string[]
}

const patienceMs = 60_000

export class ModelClient {
  readonly number: number
  readonly #socket: Socket
  readonly switches: Switches = { condstore: false, qresync: false, uidOnly: false, rev2: false }
  /** NOTIFY's way with the selected mailbox. */
  notify: 'none' | 'selected' | 'delayed' = 'none'
  belief: Belief | undefined
  #next: Belief | undefined
  /** Memories of mailboxes, by UIDVALIDITY. */
  readonly caches: Map<number, Cache>
  /** The command of IDLE that is under way. */
  idleTag: string | undefined
  isEnded = false
  /** Everything said and heard, for a report. */
  readonly transcript: string[]
  #buffer: Buffer = Buffer.alloc(0)
  #tag = 0
  #moment: Moment = { mayExpunge: true, mayTellEarlier: false }
  #untagged: string[] = []
  #tagged: string | undefined
  #awaited: string | undefined
  #error: unknown
  #isBye = false
  #wake: (() => void) | undefined

  readonly #spoil: ((line: string) => string) | undefined

  private constructor(
    number: number,
    socket: Socket,
    caches: Map<number, Cache>,
    transcript: string[],
    spoil?: (line: string) => string,
  ) {
    this.#spoil = spoil
    this.number = number
    this.#socket = socket
    this.caches = caches
    this.transcript = transcript
    socket.on('data', this.#take)
    for (const event of ['end', 'error', 'close'])
      socket.on(event, () => {
        this.isEnded = true
        this.#wake?.()
      })
  }

  static async connect(
    number: number,
    port: number,
    caches: Map<number, Cache>,
    transcript: string[],
    spoil?: (line: string) => string,
  ): Promise<ModelClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new ModelClient(number, socket, caches, transcript, spoil)
  }

  /** The tag that the next command has. */
  get nextTag(): string {
    return `c${this.#tag + 1}`
  }

  /** Says a command and takes in all that comes before its tagged answer. Throws Violation; a farewell gives the status BYE. */
  async command(text: string, moment: Moment = { mayExpunge: false, mayTellEarlier: false }): Promise<Reply> {
    this.#moment = moment
    const tag = `c${++this.#tag}`
    this.#send(`${tag} ${text}\r\n`)
    return this.#reply(tag)
  }

  async idle(): Promise<void> {
    this.idleTag = `c${++this.#tag}`
    // NOTIFY and IDLE: whatever is told may be told now.
    this.#moment = { mayExpunge: true, mayTellEarlier: false }
    this.#send(`${this.idleTag} IDLE\r\n`)
    await this.#until(() => this.#untagged.some(line => line.startsWith('+')))
  }

  async done(): Promise<Reply> {
    const tag = this.idleTag as string
    this.idleTag = undefined
    this.#send('DONE\r\n')
    return this.#reply(tag)
  }

  /** SELECT or EXAMINE. */
  async open(command: string, name: string, parameters: string, cache: Cache | undefined): Promise<Reply> {
    const belief = new Belief(name, command === 'EXAMINE', this.switches, cache)
    // What is told before CLOSED is about the mailbox before (RFC 7162 §3.2.11).
    if (this.belief) this.#next = belief
    else this.belief = belief
    if (parameters.includes('CONDSTORE') || cache) this.switches.condstore = true
    const reply = await this.command(`${command} ${name}${parameters}`, {
      mayExpunge: true,
      mayTellEarlier: cache !== undefined,
    })
    if (this.#next) violation('SELECT did not say CLOSED')
    if (reply.status === 'OK') belief.opened()
    else this.belief = undefined
    return reply
  }

  /** Remembers the mailbox for later, as far as it is known. */
  leave(): void {
    if (!this.belief) return
    const cache = this.belief.toCache()
    if (cache) this.caches.set(cache.uidValidity, cache)
    else this.caches.delete(this.belief.uidValidity)
    this.belief = undefined
  }

  destroy(): void {
    this.#socket.destroy()
    this.isEnded = true
  }

  #send(text: string): void {
    this.transcript.push(`${this.number} C: ${text.trimEnd()}`)
    this.#socket.write(Buffer.from(text, 'latin1'))
  }

  async #reply(tag: string): Promise<Reply> {
    this.#awaited = tag
    await this.#until(() => this.#tagged !== undefined || this.isEnded)
    const untagged = this.#untagged
    const tagged = this.#tagged
    this.#untagged = []
    this.#tagged = undefined
    this.#awaited = undefined
    if (tagged === undefined) {
      if (!this.#isBye) violation('the connection ended without a farewell')
      return { status: 'BYE', tagged: '', untagged }
    }
    // The farewell may have come with it.
    if (this.#isBye) this.isEnded = true
    // After NOTIFY, between commands: what SELECTED tells comes at once.
    this.#moment = { mayExpunge: this.notify === 'selected', mayTellEarlier: false }
    return { status: tagged.split(' ')[0] as string, tagged, untagged }
  }

  async #until(isSo: () => boolean): Promise<void> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error
      if (isSo()) return
      const { promise, resolve } = Promise.withResolvers<'heard' | 'silence'>()
      this.#wake = () => resolve('heard')
      const timer = setTimeout(resolve, patienceMs, 'silence')
      const event = await promise
      clearTimeout(timer)
      if (event === 'silence') violation('the server is silent')
    }
  }

  readonly #take = (chunk: Buffer): void => {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    let from = 0
    for (let end = endOfResponse(this.#buffer, from); end >= 0; end = endOfResponse(this.#buffer, from)) {
      try {
        this.#hear(this.#buffer.toString('latin1', from, end - 2))
      } catch (error) {
        this.#error ??= error
      }
      from = end
    }
    this.#buffer = Buffer.from(this.#buffer.subarray(from))
    this.#wake?.()
  }

  #enabled(names: readonly string[]): void {
    const { switches } = this
    if (names.includes('CONDSTORE') || names.includes('QRESYNC')) switches.condstore = true
    if (names.includes('QRESYNC')) switches.qresync = true
    if (names.includes('IMAP4rev2')) switches.rev2 = true
    if (names.includes('UIDONLY')) switches.uidOnly = true
  }

  #hear(said: string): void {
    const line = this.#spoil?.(said) ?? said
    this.transcript.push(`${this.number} S: ${line}`)
    if (line.includes('[SERVERBUG]')) violation(line)
    if (line.startsWith('* ')) {
      const flaw = flawOf(line)
      if (flaw !== undefined) violation(`${flaw}: ${line.slice(0, 200)}`)
      this.#untagged.push(line)
      if (line.startsWith('* BYE')) this.#isBye = true
      if (line.startsWith('* ENABLED')) this.#enabled(line.split(' ').slice(2))
      if (this.#next && line.startsWith('* OK [CLOSED]')) {
        this.leave()
        this.belief = this.#next
        this.#next = undefined
      }
      this.belief?.hear(line, this.#moment)
    } else if (line.startsWith('+')) this.#untagged.push(line)
    else if (this.#awaited !== undefined && line.startsWith(`${this.#awaited} `)) {
      this.#tagged = line.slice(this.#awaited.length + 1)
      this.belief?.tagged(line)
    } else violation(`an answer to nothing: ${line.slice(0, 200)}`)
  }
}
