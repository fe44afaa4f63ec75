// Commands of one session that wait for the store, while those behind them are read and begin. RFC 9051 §5.5.
//
// Invariants: commands ask the store in the order in which they came, so its state is what one after another would have made; they are answered in
// that order; news (and so EXPUNGE) are told by a command behind which no other has begun, and none begins meanwhile. So message numbers stay what
// they are from a command's beginning to its answer. Where a command may mean what one before it brings (`UID STORE 1:*` behind APPEND), it begins
// when that one is answered.
import type { Awaitable } from '../base/awaitable.ts'
import { isConnectionError } from '../net/connection-error.ts'
import { limits } from '../base/limits.ts'
import type { Answer, Command, Completion } from './command.ts'
import { ImapError } from './error.ts'
import { tellNews } from './news.ts'
import { refusalOf } from './refusal.ts'
import type { Session } from './session.ts'

/** A command that has asked for all it needs. */
export interface BegunCommand {
  readonly tag: string
  /** As it was given: `UID STORE`. */
  readonly name: string
  readonly command: Command
  readonly usesSequence: boolean
  readonly answer: Answer
  /** Called when it is answered, however. */
  readonly end: () => void
}

/** What is known of it before. */
export type BeginningCommand = Omit<BegunCommand, 'answer'>

const settled = Promise.resolve()

export class Pipeline {
  readonly #session: Session
  readonly #onEmpty: (error: unknown) => void
  readonly #begun: BegunCommand[] = []
  #answering: Promise<void> | undefined
  /** What may not go together: a command that begins, and news that are told. */
  #isBeginning = false
  #isTelling = false
  #failure: unknown
  #onChange: (() => void) | undefined

  /** `onEmpty` is called whenever all have been answered, with what ends the session where one of them failed so. */
  constructor(session: Session, onEmpty: (error: unknown) => void) {
    this.#session = session
    this.#onEmpty = onEmpty
  }

  get isEmpty(): boolean {
    return this.#answering === undefined
  }

  /** Begins a command as soon as it may; settles when it has asked for its change, and rejects when it was refused before. */
  async begin(command: BeginningCommand, first: () => Awaitable<Answer>): Promise<void> {
    while (this.#isTelling || this.#begun.length >= limits.imap.commandsAtOnce) await this.#change()
    this.#isBeginning = true
    try {
      this.#begun.push({ ...command, answer: await first() })
    } finally {
      this.#isBeginning = false
    }
    this.#answering ??= this.#answerAll()
  }

  /** Settles when every command has been answered; rejects with what ends the session. */
  drained(): Promise<void> {
    return this.#answering || this.#failure !== undefined ? this.#drain() : settled
  }

  async #drain(): Promise<void> {
    while (this.#answering) await this.#answering
    if (this.#failure !== undefined) throw this.#failure
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      this.#onChange = resolve
    })
  }

  #changed(): void {
    const resume = this.#onChange
    this.#onChange = undefined
    resume?.()
  }

  async #answerAll(): Promise<void> {
    for (let begun = this.#begun[0]; begun; begun = this.#begun[0]) {
      try {
        if (this.#failure === undefined) await this.#answerOne(begun)
        // The session ends, but what was asked for is still waited for.
        else await begun.answer()
      } catch (error) {
        this.#failure ??= error
      }
      begun.end()
      this.#begun.shift()
      this.#changed()
    }
    this.#answering = undefined
    this.#session.connection.flush()
    this.#onEmpty(this.#failure)
  }

  async #answerOne(begun: BegunCommand): Promise<void> {
    const { tag, name, command, answer } = begun
    const session = this.#session
    try {
      const completion = (await withProgress(session, command, tag, answer())) ?? {}
      const farewell = await this.#tellNews(begun)
      complete(session, tag, name, completion)
      if (farewell) throw farewell
      await completion.afterwards?.()
    } catch (error) {
      await refuse(session, tag, error, () => this.#tellNews(begun))
    }
  }

  async #tellNews({ usesSequence }: BegunCommand): Promise<ImapError | undefined> {
    if (this.#begun.length > 1 || this.#isBeginning) return undefined
    this.#isTelling = true
    try {
      return await tellOrPart(this.#session, !usesSequence)
    } finally {
      this.#isTelling = false
      this.#changed()
    }
  }
}

/** RFC 9585: a client that waits for long is told so, between two lines. */
export function withProgress(
  session: Session,
  { reportsProgress }: Command,
  tag: string,
  pending: ReturnType<Answer>,
): ReturnType<Answer> {
  return reportsProgress && pending instanceof Promise ? reportProgress(session, tag, pending) : pending
}

async function reportProgress(
  session: Session,
  tag: string,
  pending: Promise<Completion | undefined | void>,
): Promise<Completion | undefined | void> {
  const timer = setInterval(() => {
    if (session.isMidLine) return
    session.say(`INPROGRESS ("${tag}" NIL NIL)`, 'Still at it')
    session.out.send()
    session.connection.flush()
  }, session.context.config.imap.progressMs)
  try {
    return await pending
  } finally {
    clearInterval(timer)
  }
}

/** Tells what is new. A farewell that is due is given back: the client must hear first how his command has ended, or he would repeat it elsewhere. */
export async function tellOrPart(session: Session, mayExpunge: boolean): Promise<ImapError | undefined> {
  try {
    await tellNews(session, mayExpunge)
    tellHeldBack(session)
    if (session.state.kind === 'selected') session.state.view.settle()
    return undefined
  } catch (error) {
    if (error instanceof ImapError && error.status === 'BYE') return error
    throw error
  }
}

/**
 * RFC 7162 §6: a client takes the highest MODSEQ that it was shown for the state to resynchronise from, unless it is told a lower one; so it is,
 * while an expunge of before is still to be told. Who has only CONDSTORE now may resynchronise by QRESYNC later.
 */
function tellHeldBack(session: Session): void {
  if (session.state.kind !== 'selected' || !session.has('CONDSTORE')) return
  const { view } = session.state
  if (view.toldModSeq < view.snapshot.modSeq)
    session.say(`HIGHESTMODSEQ ${view.toldModSeq}`, 'The state of the mailbox')
}

/** The tagged OK. */
export function complete(session: Session, tag: string, name: string, completion: Completion): void {
  session.respond(tag, 'OK', completion.code, completion.text ?? `${name} completed`)
  session.out.send()
}

/** What a command threw, as its tagged NO or BAD behind the news. Throws what ends the session. */
export async function refuse(
  session: Session,
  tag: string,
  error: unknown,
  tell: () => Promise<ImapError | undefined>,
): Promise<ImapError> {
  if (isConnectionError(error)) throw error
  const refusal = refusalOf(error, session)
  if (refusal.status === 'BYE') throw refusal
  const farewell = await tell()
  session.respond(tag, refusal.status, refusal.code, refusal.message)
  session.out.send()
  if (farewell) throw farewell
  return refusal
}
