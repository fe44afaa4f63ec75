// Takes the content of one message as it arrives: trace fields in front, limits while it streams, memory bounded. RFC 5321 §4.4; RFC 1870 §6.3.
import { limits } from '../base/limits.ts'
import { DataReader } from '../smtp/data-reader.ts'
import { SmtpRefusal } from '../smtp/reply.ts'
import { receivedField, returnPathField } from '../smtp/trace.ts'
import type { BodyRef, StagedBody } from '../store/store.ts'
import type { Session } from './session.ts'
import type { SessionState } from './state.ts'
import { fixHeader } from './submission-header.ts'

/** RFC 5321 §2.3.8: CR and LF only together. */
export function bareNewline(): SmtpRefusal {
  return new SmtpRefusal(550, '5.5.2', 'A CR or LF without the other in the message')
}

const gatherBytes = 16 * 1024
const gatherBelowBytes = 256

/** A session that has a transaction. */
export type InTransaction = Extract<SessionState, { state: 'mail' | 'chunking' }>

export interface TakenMessage {
  readonly body: BodyRef
  readonly bytes: Buffer
  readonly returnPathBytes: number
}

export class Intake {
  readonly #session: Session
  readonly #body: StagedBody
  readonly #maxBytes: number
  readonly #returnPathBytes: number
  /** The header as it arrives, where it has to be fixed before it is stored; undefined once it is written. */
  #head: Buffer[] | undefined
  #headBytes = 0
  /** How much of CRLF CRLF stands before the next byte of the header; the message begins as if behind a CRLF. */
  #matched = 2
  #sizeBytes = 0
  #droppedBytes = 0
  #refusal: SmtpRefusal | undefined
  /** Looks after the line ends of BDAT's chunks; undefined for a binary message. */
  readonly #lines: DataReader | undefined
  #pending: Promise<void> | undefined
  /** Small pieces, the first `#gathered` bytes of it. */
  #room: Buffer | undefined
  #gathered = 0

  constructor(session: Session, state: InTransaction) {
    this.#session = session
    this.#maxBytes = session.context.config.smtp.maxMessageBytes
    this.#body = session.context.store.stageBody()
    const isBinary = state.transaction.parameters.body === 'BINARYMIME'
    this.#lines = isBinary ? undefined : new DataReader(session.lineRule, 'BDAT')
    const returnPath = returnPathField(state.transaction.mailFrom)
    this.#returnPathBytes = Buffer.byteLength(returnPath)
    this.#write(Buffer.from(returnPath + receivedField(receptionOf(session, state))))
    if (session.service === 'submission') this.#head = []
  }

  /** Why the message will not be taken. Set while it still arrives: the rest is read and dropped. */
  get refusal(): SmtpRefusal | undefined {
    return this.#refusal
  }

  /** Bytes of content that have come. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  refuse(refusal: SmtpRefusal): void {
    if (this.#refusal) return
    this.#refusal = refusal
    this.#head = undefined
    this.#body.discard()
  }

  /** Takes a piece of content, which is copied. Throws SmtpRefusal 421 when too much had to be dropped. */
  take(piece: Buffer): void {
    this.#sizeBytes += piece.length
    if (this.#sizeBytes > this.#maxBytes) {
      // RFC 1870 §6.3: 552.
      this.refuse(new SmtpRefusal(552, '5.3.4', `At most ${this.#maxBytes} bytes are taken`))
    }
    if (this.#refusal) {
      this.#droppedBytes += piece.length
      if (this.#droppedBytes > limits.smtp.droppedBytes) throw new SmtpRefusal(421, '5.3.4', 'Far too much')
      return
    }
    if (this.#head) this.#takeHead(this.#head, piece)
    else this.#write(piece)
  }

  /** Takes a piece of a BDAT chunk. Unless it is binary (RFC 3030 §3), the rules of line ends hold for it too. */
  takeChunk(piece: Buffer): void {
    if (!this.#lines) return this.take(piece)
    this.#lines.push(piece, part => this.take(part))
    this.#judgeLines(this.#lines)
  }

  /** The last chunk of BDAT was taken. */
  endChunks(): void {
    if (!this.#lines) return
    this.#lines.end(part => this.take(part))
    this.#judgeLines(this.#lines)
  }

  #judgeLines({ fault }: DataReader): void {
    if (fault && this.#session.lineRule === 'note') this.refuse(bareNewline())
  }

  /** Waits while the disk is behind. */
  settle(): Promise<void> | undefined {
    const pending = this.#pending
    this.#pending = undefined
    return pending
  }

  /** Ends the message. Throws what it was refused with. */
  async finish(): Promise<TakenMessage> {
    if (this.#head) this.#endHead(this.#head)
    if (!this.#refusal) this.#flushGathered()
    await this.settle()
    if (this.#refusal) throw this.#refusal
    const body = await this.#body.finish()
    return { body, bytes: await this.#body.bytes(), returnPathBytes: this.#returnPathBytes }
  }

  /** Lets go of what is held; safe at any time. */
  discard(): void {
    this.#pending?.catch(() => {})
    this.#body.discard()
  }

  /** Dots at the starts of lines cut the content into small pieces: those are gathered, or each would cost a Buffer and a step of the hash. */
  #write(piece: Buffer): void {
    if (piece.length >= gatherBelowBytes) {
      this.#flushGathered()
      return this.#stage(piece)
    }
    if (this.#gathered + piece.length > gatherBytes) this.#flushGathered()
    this.#room ??= Buffer.alloc(gatherBytes)
    this.#gathered += piece.copy(this.#room, this.#gathered)
  }

  #flushGathered(): void {
    if (!this.#room || this.#gathered === 0) return
    const gathered = this.#room.subarray(0, this.#gathered)
    this.#gathered = 0
    this.#stage(gathered)
  }

  #stage(piece: Buffer): void {
    const pending = this.#body.write(piece)
    if (pending instanceof Promise) this.#pending = this.#pending ? both(this.#pending, pending) : pending
  }

  #takeHead(head: Buffer[], piece: Buffer): void {
    const end = this.#findBlankLine(piece)
    const part = end === -1 ? piece : piece.subarray(0, end)
    this.#headBytes += part.length
    if (this.#headBytes > limits.message.headerBytes)
      return this.refuse(new SmtpRefusal(552, '5.3.4', 'The header is too long'))
    head.push(Buffer.from(part))
    if (end === -1) return
    this.#endHead(head)
    if (end < piece.length) this.#write(piece.subarray(end))
  }

  /** The index behind the blank line that ends the header; -1 when it is not in this piece. */
  #findBlankLine(piece: Buffer): number {
    let matched = this.#matched
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i]
      if (byte === 0x0d) matched = matched === 2 ? 3 : 1
      else if (byte !== 0x0a) matched = 0
      else if (matched === 3) return i + 1
      else matched = matched === 1 ? 2 : 0
    }
    this.#matched = matched
    return -1
  }

  #endHead(head: readonly Buffer[]): void {
    this.#head = undefined
    this.#write(fixHeader(this.#session, Buffer.concat(head)))
  }
}

async function both(one: Promise<void>, other: Promise<void>): Promise<void> {
  await Promise.all([one, other])
}

function receptionOf({ connection, context }: Session, { greeting, identity, transaction }: InTransaction) {
  const [recipient, ...others] = transaction.recipients
  return {
    helo: greeting.helo,
    address: identity && !context.config.smtp.showSubmitter ? undefined : connection.remoteAddress,
    hostname: context.hostname,
    protocol: greeting.protocol,
    smtpUtf8: transaction.parameters.smtpUtf8 === true,
    isSecure: connection.secure,
    isAuthenticated: identity !== undefined,
    tls: connection.tls && `${connection.tls.protocol} ${connection.tls.cipher}`,
    id: transaction.id,
    recipient: others.length === 0 ? recipient?.recipient : undefined,
    atMs: context.clock.now(),
  }
}
