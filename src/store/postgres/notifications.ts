// News between the stores on one database: NOTIFY after commits, gathered; one LISTEN session that comes back by itself.
//
// NOTIFY is not part of the transactions: PostgreSQL commits those that notify one after another. So a hint can be lost; nothing else depends on it
// (`changesSince` is asked). After a gap in listening everyone is told to look.
import { randomUUID } from 'node:crypto'
import type { AccountId, ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { ChangeHint } from '../store.ts'
import type { Statements } from './dialect.ts'
import type { News, NewsEvents } from './news.ts'
import type { Session, SessionEvents } from './session.ts'
import { pause, retryBefore, type SessionOpener } from './session-pool.ts'

export interface NotificationsParts extends NewsEvents {
  readonly opener: SessionOpener
  readonly statements: Statements
  readonly log: Log
  readonly signal: AbortSignal
}

const channel = 'restante'
/** In place of hints: too many to name. */
const everyone = '*'
/** Begins a word that is no hint. */
const wordSign = '!'

export class Notifications implements News {
  readonly #parts: NotificationsParts
  /** Tells our own notifications from others'. */
  readonly #sender = randomUUID().slice(0, 8)
  #waiting = new Map<AccountId, ModSeq>()
  #words: string[] = []
  #isForAll = false
  #sending: Promise<void> | undefined
  #session: Session | undefined
  #listening: Promise<void> | undefined

  constructor(parts: NotificationsParts) {
    this.#parts = parts
  }

  async start(deadline: number): Promise<void> {
    const { opener, signal } = this.#parts
    const session = await retryBefore(deadline, signal, () =>
      this.#listen(events => opener.openBefore(deadline, signal, events)),
    )
    this.#listening = this.#stay(session)
  }

  tell(hints: readonly ChangeHint[]): void {
    for (const { account, modSeq } of hints) this.#waiting.set(account, modSeq)
    if (this.#waiting.size > limits.postgres.waitingHints) {
      this.#waiting.clear()
      this.#isForAll = true
    }
    this.#sending ??= this.#send()
  }

  /** When too many wait it is lost. */
  say(word: string): void {
    if (this.#words.length >= limits.postgres.waitingWords) return
    this.#words.push(wordSign + word)
    this.#sending ??= this.#send()
  }

  /** The signal has been given. */
  async close(): Promise<void> {
    await this.#sending
    await this.#session?.close()
    await this.#listening
    // One may have been opened meanwhile.
    await this.#session?.close()
  }

  async #listen(open: (events: SessionEvents) => Promise<Session>): Promise<Session> {
    const session = await open({ onNotification: payload => this.#receive(payload) })
    // Hints need not survive the server.
    await session.exec(
      `SET synchronous_commit = off; SET idle_in_transaction_session_timeout = 0; LISTEN ${channel}`,
    )
    this.#session = session
    return session
  }

  /** Opens another session whenever one ends. */
  async #stay(first: Session): Promise<void> {
    const { opener, signal, log, onGap } = this.#parts
    let session: Session | undefined = first
    for (let attempt = 0; !signal.aborted; attempt++) {
      if (session) await session.whenEnded
      if (signal.aborted) return
      try {
        session = await this.#listen(events => opener.open(events))
        attempt = 0
        onGap()
        log.info({}, 'hears of changes again')
      } catch (error) {
        session = undefined
        if (attempt === 0) log.warn({ err: error as Error }, 'cannot hear of changes of other nodes')
        await pause(attempt, signal)
      }
    }
  }

  async #send(): Promise<void> {
    // All commits of this turn of the event loop are told at once, and what comes while one is on its way goes with the next.
    await new Promise(setImmediate)
    while (this.#waiting.size > 0 || this.#words.length > 0 || this.#isForAll) {
      const payload = this.#nextPayload()
      const session = this.#session
      try {
        if (session && !session.isEnded) {
          await session.query(this.#parts.statements.get('SELECT pg_notify(?, ?)'), [channel, payload])
        }
      } catch {
        // Lost, as hints may be; the session that comes next tells this store of a gap, and other stores ask by themselves.
      }
    }
    this.#sending = undefined
  }

  /** `SENDER ACCOUNT:MODSEQ … !WORD …` within the bytes that PostgreSQL takes. */
  #nextPayload(): string {
    if (this.#isForAll) {
      this.#isForAll = false
      return `${this.#sender} ${everyone}`
    }
    const words = [this.#sender]
    let bytes = this.#sender.length
    for (const [account, modSeq] of this.#waiting) {
      const word = `${account}:${modSeq}`
      if (bytes + word.length + 1 > limits.postgres.notificationBytes) break
      bytes += word.length + 1
      words.push(word)
      this.#waiting.delete(account)
    }
    while (this.#words[0] !== undefined) {
      bytes += this.#words[0].length + 1
      if (bytes > limits.postgres.notificationBytes) break
      words.push(this.#words.shift() as string)
    }
    return words.join(' ')
  }

  #receive(payload: string): void {
    const [sender, ...words] = payload.split(' ')
    if (sender === this.#sender) return
    if (words[0] === everyone) {
      this.#parts.onGap()
      return
    }
    const hints: ChangeHint[] = []
    for (const word of words) {
      if (word.startsWith(wordSign)) {
        this.#parts.onWord(word.slice(wordSign.length))
        continue
      }
      const [account, modSeq] = word.split(':').map(Number)
      if (Number.isSafeInteger(account) && Number.isSafeInteger(modSeq))
        hints.push({ account: account as AccountId, modSeq: modSeq as ModSeq })
    }
    if (hints.length > 0) this.#parts.onHints(hints)
  }
}
