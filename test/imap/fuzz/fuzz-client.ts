// Says fuzz inputs to a server over one connection and judges its answers: each tag answered once and in its turn, nothing unasked, no SERVERBUG, no
// silence, no line that is no response.
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'
import { languages, translate } from '../../../src/imap/language/translate.ts'
import { Random } from '../../../bench/random.ts'
import { continuation } from './grammar.ts'
import { type Input, piecesOf } from './input.ts'
import { endOfResponse, flawOf } from './response.ts'

export interface Judge {
  /** Something that must not be, with the input that led to it. */
  violation(text: string): void
  /** A server that is silent for so long hangs. */
  readonly patienceMs: number
}

interface Expected {
  readonly tag: string
  readonly input: Input
  /** What is sent at each `+`. */
  readonly chunks: string[]
}

/** Why the server may end a connection, in all its languages. */
const rightfulFarewells = new Set(
  [
    'Until next time',
    'Too many commands that make no sense',
    'This is an IMAP server',
    'The selected mailbox is gone',
    'Open a new connection: this one is compressed',
    'That literal is too large',
    'The command is too long',
  ].flatMap(text =>
    languages.map(language => Buffer.from(translate(text, language, false)).toString('latin1')),
  ),
)
/** Commands that a continuation may be asked for, or after which other bytes are spoken. */
const talkative = /IDLE|AUTHENTICATE|COMPRESS/i
const untagged =
  /^\* (?:OK|NO|BAD|BYE|PREAUTH) |^\* (?:CAPABILITY|ENABLED|LIST|LSUB|XLIST|NAMESPACE|STATUS|FLAGS|SEARCH|ESEARCH|SORT|THREAD|ID|VANISHED|METADATA|QUOTA|QUOTAROOT|GENURLAUTH|URLFETCH|COMPARATOR|LANGUAGE|UIDBATCHES|CONVERSION|ACL|LISTRIGHTS|MYRIGHTS|JMAPACCESS)(?= |$)|^\* \d+ (?:EXISTS|RECENT|EXPUNGE|FETCH \(|UIDFETCH \(|CONVERTED \()/

export class FuzzClient {
  readonly #judge: Judge
  readonly #socket: Socket
  #out: { write(bytes: Buffer): void }
  #buffer: Buffer = Buffer.alloc(0)
  readonly #queue: Expected[] = []
  readonly #recent: string[] = []
  #tag = 0
  #wake: (() => void) | undefined
  #isBye = false
  /** By this side. */
  #isCut = false
  isEnded = false
  /** Inputs that were answered. */
  answered = 0
  /** Answers by their word. */
  readonly words = { OK: 0, NO: 0, BAD: 0 }
  lastTagged = ''
  /** Hears untagged responses. */
  onUntagged: ((line: string) => void) | undefined

  private constructor(socket: Socket, judge: Judge) {
    this.#socket = socket
    this.#out = { write: bytes => void socket.write(bytes) }
    this.#judge = judge
    socket.on('data', this.#take)
    for (const event of ['end', 'error', 'close']) socket.on(event, this.#end)
  }

  static async connect(port: number, judge: Judge): Promise<FuzzClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new FuzzClient(socket, judge)
  }

  /** Says all of it: what needs no answer in between in one write. Resolves when all is answered or the connection has ended. */
  async say(inputs: readonly Input[], random: Random): Promise<void> {
    let batch: string[] = []
    const send = async () => {
      if (batch.length > 0) this.#send(batch.join(''))
      batch = []
      await this.#settled()
    }
    for (const input of inputs) {
      if (this.isEnded) return
      const chunks = chunksOf(input)
      const mayTalk =
        chunks.length > 1 ||
        (input.isBare ? talkative : /^ *(?:IDLE|AUTHENTICATE|COMPRESS)/i).test(input.text)
      if (mayTalk) await send()
      if (this.isEnded) return
      const tag = input.isBare ? '*' : `f${++this.#tag}`
      const [first, ...more] = chunks
      if (mayTalk && more.length === 0) more.push(`${continuation(random, input.command)}\r\n`)
      this.#queue.push({ tag, input, chunks: more })
      batch.push(input.isBare ? (first as string) : `${tag} ${first}`)
      if (mayTalk) {
        await send()
        if (/^COMPRESS DEFLATE *$/i.test(input.text) && /^\S+ OK /.test(this.lastTagged)) this.#compress()
      }
    }
    await send()
  }

  /** One command; its tagged answer. */
  async command(text: string): Promise<string> {
    this.lastTagged = ''
    await this.say([{ text, command: '', isBare: false }], new Random(1))
    return this.lastTagged
  }

  /** Leaves as a client that has crashed does, in the middle of a command or between two. */
  destroy(rest = ''): void {
    if (rest !== '') this.#send(rest)
    this.#isCut = true
    this.#socket.destroy()
    this.isEnded = true
  }

  #send(text: string): void {
    this.#out.write(Buffer.from(text, 'latin1'))
  }

  #compress(): void {
    const deflate = createDeflateRaw()
    const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH })
    this.#socket.off('data', this.#take)
    // What has arrived is inflated later: the end is that of the text.
    for (const event of ['end', 'error', 'close']) this.#socket.off(event, this.#end)
    this.#socket.on('error', error => {
      this.#recent.push(`the socket: ${error.message}`)
      inflate.end()
    })
    this.#socket.pipe(inflate)
    inflate.on('close', this.#end)
    inflate.on('data', this.#take)
    inflate.on('error', () => this.#judge.violation('what the server sends is no deflate stream'))
    deflate.pipe(this.#socket)
    this.#out = {
      write: bytes => {
        deflate.write(bytes)
        deflate.flush(constants.Z_SYNC_FLUSH)
      },
    }
  }

  readonly #end = (): void => {
    this.isEnded = true
    this.#wake?.()
  }

  readonly #take = (chunk: Buffer): void => {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    let from = 0
    for (;;) {
      const end = endOfResponse(this.#buffer, from)
      if (end < 0) break
      this.#hear(this.#buffer.toString('latin1', from, end - 2))
      from = end
    }
    this.#buffer = from === this.#buffer.length ? Buffer.alloc(0) : this.#buffer.subarray(from)
    if (this.#queue.length === 0) this.#wake?.()
  }

  #hear(line: string): void {
    if (this.#isCut) return
    this.#recent.push(line.slice(0, 300))
    if (this.#recent.length > 12) this.#recent.shift()
    if (line.includes('[SERVERBUG]')) return this.#wrong('SERVERBUG')
    const expected = this.#queue[0]
    if (line.startsWith('+ ')) return this.#continue(expected)
    if (line.startsWith('* ')) {
      this.onUntagged?.(line)
      if (!untagged.test(line)) return this.#wrong('no response begins so')
      const flaw = flawOf(line)
      if (flaw !== undefined) return this.#wrong(flaw)
      if (line.startsWith('* BYE')) {
        this.#isBye = true
        if (!rightfulFarewells.has(line.replace(/^\* BYE (?:\[TOOBIG\] )?/, '')))
          this.#wrong('an undue farewell')
      } else if (line.startsWith('* BAD') && this.#isAnsweredUntagged(expected, line))
        this.#answered('BAD', line)
      return
    }
    const match = /^([^ ]+) (OK|NO|BAD) /.exec(line)
    if (!match) return this.#wrong('neither tagged nor untagged')
    if (!expected) return this.#wrong('an answer to nothing')
    const isOwn = expected.input.isBare
      ? expected.input.text.startsWith(`${match[1]} `)
      : match[1] === expected.tag
    if (!isOwn) return this.#wrong(`${expected.tag} should be answered first`)
    this.#answered(match[2] as 'OK', line)
  }

  /** A line without a tag, or of which too little was read to know its tag. */
  #isAnsweredUntagged(expected: Expected | undefined, line: string): boolean {
    return expected !== undefined && (expected.input.isBare || line.startsWith('* BAD [TOOBIG] '))
  }

  #answered(word: 'OK' | 'NO' | 'BAD', line: string): void {
    this.#queue.shift()
    this.answered++
    this.words[word]++
    this.lastTagged = line
  }

  #continue(expected: Expected | undefined): void {
    const chunk = expected?.chunks.shift()
    if (expected && chunk === undefined && /AUTHENTICATE/i.test(expected.input.text))
      return this.#send('*\r\n')
    if (chunk === undefined) return this.#wrong('a continuation that nothing asks for')
    this.#send(chunk)
  }

  #wrong(what: string): void {
    const { input } = this.#queue[0] ?? { input: undefined }
    this.#judge.violation(
      `${what}\n    input: ${JSON.stringify(input?.text.slice(0, 400))}\n    heard: ${this.#recent.map(line => JSON.stringify(line)).join('\n           ')}`,
    )
    // What follows would be about the same.
    this.#queue.length = 0
    this.destroy()
    this.#wake?.()
  }

  /** All is answered, or the connection has ended as it may. */
  async #settled(): Promise<void> {
    while (this.#queue.length > 0 && !this.isEnded) {
      const { promise, resolve } = Promise.withResolvers<'heard' | 'silence'>()
      this.#wake = () => resolve('heard')
      const timer = setTimeout(resolve, this.#judge.patienceMs, 'silence')
      const event = await promise
      clearTimeout(timer)
      this.#wake = undefined
      if (event === 'silence') {
        this.#wrong(`silent for ${this.#judge.patienceMs} ms with ${this.#queue.length} commands unanswered`)
      }
    }
    if (this.#queue.length === 0) return
    if (!this.#isBye)
      this.#wrong(`the connection ended without a farewell, with ${this.#queue.length} commands unanswered`)
    this.answered++
    this.#queue.length = 0
  }
}

/** Where the client has to wait for leave, another chunk begins. */
function chunksOf({ text }: Input): string[] {
  const chunks: string[] = []
  let chunk = ''
  for (const { text: line, literal } of piecesOf(text)) {
    chunk += line
    if (!literal) continue
    const sign = literal.head.endsWith('+') ? '+' : ''
    chunk += `${literal.head.startsWith('~') ? '~' : ''}{${literal.bytes.length}${sign}}\r\n`
    if (sign === '') {
      chunks.push(chunk)
      chunk = ''
    }
    chunk += literal.bytes
  }
  return [...chunks, `${chunk}\r\n`]
}
