// One client of the model: its connection, what it has switched on, and what it believes.
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { endOfResponse, flawOf } from '../fuzz/response.ts'
import { Belief, type Cache, type Moment, type Switches, Violation, violation } from './belief.ts'

export interface Reply {
  readonly status: string
  readonly tagged: string
  readonly untagged: readonly string[]
}

const patienceMs = 60_000

/** A command whose answer has not come yet. */
interface Asked {
  readonly tag: string
  readonly moment: Moment
  readonly onTurn: (() => void) | undefined
  readonly untagged: string[]
  readonly answered: PromiseWithResolvers<Reply>
}

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
  /** The answer to IDLE, while it is under way. */
  #idling: Promise<Reply> | undefined
  #continued: PromiseWithResolvers<void> | undefined
  isEnded = false
  /** Everything said and heard, for a report. */
  readonly transcript: string[]
  #buffer: Buffer = Buffer.alloc(0)
  #tag = 0
  /** In the order in which they were said, and so will be answered (RFC 9051 §5.5). */
  readonly #asked: Asked[] = []
  #outgoing: string[] = []
  #isHearing = false
  #error: unknown
  #isBye = false
  /** By `destroy`: nothing is heard any more. */
  #isLeft = false
  #patience: NodeJS.Timeout | undefined

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
    for (const event of ['end', 'error', 'close']) socket.on(event, () => this.#end())
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

  /** Whether a message number still means what it means when this is asked, once all that was said before is answered (RFC 9051 §5.5). */
  get keepsNumbers(): boolean {
    return this.#asked.every(({ moment }) => !moment.mayExpunge)
  }

  /**
   * Says a command and takes in all that comes before its tagged answer. Those that are said without waiting go out together. Throws Violation; a
   * farewell gives the status BYE.
   */
  async command(text: string, moment: Moment = { mayExpunge: false, mayTellEarlier: false }): Promise<Reply> {
    return this.#ask(text, moment).answered.promise
  }

  /** The same, with what `look` sees when all commands before have been answered; undefined where the session ended before. */
  async commandSeeing<Seen>(
    text: string,
    moment: Moment,
    look: () => Seen,
  ): Promise<readonly [reply: Reply, seen: Seen | undefined]> {
    const turn: { seen?: Seen } = {}
    const reply = await this.#ask(text, moment, () => {
      turn.seen = look()
    }).answered.promise
    return [reply, turn.seen]
  }

  async idle(): Promise<void> {
    // NOTIFY and IDLE: whatever is told may be told now.
    this.#continued = Promise.withResolvers()
    const { answered } = this.#ask('IDLE', { mayExpunge: true, mayTellEarlier: false })
    this.#idling = answered.promise
    await Promise.race([this.#continued.promise, answered.promise])
    clearTimeout(this.#patience)
  }

  get isIdling(): boolean {
    return this.#idling !== undefined
  }

  async done(): Promise<Reply> {
    const answer = this.#idling as Promise<Reply>
    this.#idling = undefined
    this.#send('DONE\r\n')
    if (!this.isEnded) this.#losePatience()
    return answer
  }

  /** SELECT or EXAMINE. */
  async open(command: string, name: string, parameters: string, cache: Cache | undefined): Promise<Reply> {
    const belief = new Belief(name, command === 'EXAMINE', this.switches, cache)
    // What is told before CLOSED is about the mailbox before (RFC 7162 §3.2.11).
    if (this.belief) this.#next = belief
    else this.belief = belief
    const moment = { mayExpunge: true, mayTellEarlier: cache !== undefined }
    const [reply] = await this.commandSeeing(`${command} ${name}${parameters}`, moment, () => {
      if (parameters.includes('CONDSTORE') || cache) this.switches.condstore = true
    })
    if (this.#next && reply.status !== 'BYE') violation('SELECT did not say CLOSED')
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
    this.#isLeft = true
    clearTimeout(this.#patience)
    this.#socket.destroy()
    this.isEnded = true
  }

  #ask(text: string, moment: Moment, onTurn?: () => void): Asked {
    const asked: Asked = {
      tag: this.nextTag,
      moment,
      onTurn,
      untagged: [],
      answered: Promise.withResolvers(),
    }
    this.#tag++
    if (this.#error !== undefined) asked.answered.reject(this.#error)
    this.#asked.push(asked)
    if (this.#asked.length === 1) this.#beginTurn()
    this.#send(`${asked.tag} ${text}\r\n`)
    return asked
  }

  #beginTurn(): void {
    clearTimeout(this.#patience)
    const [asked] = this.#asked
    if (!asked) return
    this.#losePatience()
    asked.onTurn?.()
  }

  #losePatience(): void {
    this.#patience = setTimeout(() => this.#fail(new Violation('the server is silent')), patienceMs)
  }

  #send(text: string): void {
    this.transcript.push(`${this.number} C: ${text.trimEnd()}`)
    if (this.#outgoing.push(text) > 1) return
    setImmediate(() => {
      this.#socket.write(Buffer.from(this.#outgoing.join(''), 'latin1'))
      this.#outgoing = []
    })
  }

  readonly #take = (chunk: Buffer): void => {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    if (!this.#isHearing) void this.#hearAll()
  }

  async #hearAll(): Promise<void> {
    this.#isHearing = true
    try {
      for (let end = endOfResponse(this.#buffer, 0); end >= 0; end = endOfResponse(this.#buffer, 0)) {
        const line = this.#buffer.toString('latin1', 0, end - 2)
        this.#buffer = this.#buffer.subarray(end)
        if (!this.#hear(line)) continue
        // Who waits for this answer draws his conclusions before more is heard.
        await nextTurn()
        if (this.#isLeft) break
        this.#beginTurn()
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#isHearing = false
    if (this.#socket.readableEnded || this.#socket.destroyed) this.#end()
  }

  #fail(error: unknown): void {
    this.#error ??= error
    for (const { answered } of this.#asked) answered.reject(error)
  }

  #end(): void {
    this.isEnded = true
    if (this.#isHearing) return
    clearTimeout(this.#patience)
    if (!this.#isBye && this.#asked.length > 0)
      this.#fail(new Violation('the connection ended without a farewell'))
    for (const { answered, untagged } of this.#asked.splice(0))
      answered.resolve({ status: 'BYE', tagged: '', untagged })
  }

  #enabled(names: readonly string[]): void {
    const { switches } = this
    if (names.includes('CONDSTORE') || names.includes('QRESYNC')) switches.condstore = true
    if (names.includes('QRESYNC')) switches.qresync = true
    if (names.includes('IMAP4rev2')) switches.rev2 = true
    if (names.includes('UIDONLY')) switches.uidOnly = true
  }

  /** Takes a line in; says whether it was a tagged answer. */
  #hear(said: string): boolean {
    const line = this.#spoil?.(said) ?? said
    this.transcript.push(`${this.number} S: ${line}`)
    if (line.includes('[SERVERBUG]')) violation(line)
    const [asked] = this.#asked
    if (line.startsWith('* ')) {
      const flaw = flawOf(line)
      if (flaw !== undefined) violation(`${flaw}: ${line.slice(0, 200)}`)
      asked?.untagged.push(line)
      if (line.startsWith('* BYE')) this.#isBye = true
      if (line.startsWith('* ENABLED')) this.#enabled(line.split(' ').slice(2))
      if (this.#next && line.startsWith('* OK [CLOSED]')) {
        this.leave()
        this.belief = this.#next
        this.#next = undefined
      }
      // After NOTIFY, between commands: what SELECTED tells comes at once.
      const between = { mayExpunge: this.notify === 'selected', mayTellEarlier: false }
      this.belief?.hear(line, asked?.moment ?? between)
      return false
    }
    if (line.startsWith('+')) {
      this.#continued?.resolve()
      return false
    }
    if (!asked || !line.startsWith(`${asked.tag} `)) violation(`an answer to nothing: ${line.slice(0, 200)}`)
    this.#asked.shift()
    // The farewell may have come with it.
    if (this.#isBye) this.isEnded = true
    this.belief?.tagged(line)
    const tagged = line.slice(asked.tag.length + 1)
    asked.answered.resolve({ status: tagged.split(' ')[0] as string, tagged, untagged: asked.untagged })
    return true
  }
}
