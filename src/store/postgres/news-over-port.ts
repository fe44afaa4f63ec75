// News by way of another thread of this process: its hub tells them to the database, and to the other stores of the process itself.
import type { MessagePort } from 'node:worker_threads'
import type { AccountId, ModSeq } from '../../base/ids.ts'
import type { AccountCounts } from '../account-counts.ts'
import type { ChangeHint } from '../store.ts'
import type { FromHub, News, NewsEvents, ToHub } from './news.ts'

export interface NewsOverPortParts extends NewsEvents {
  /** Whose hints are wanted. */
  readonly watched: AccountCounts
  /** How long hints may be gathered; 0 for none of it. */
  readonly gatherHintsMs: number
}

export class NewsOverPort implements News {
  readonly #port: MessagePort
  readonly #parts: NewsOverPortParts
  readonly #waiting = new Map<AccountId, ModSeq>()
  #words: string[] = []
  #sending: NodeJS.Immediate | undefined

  constructor(port: MessagePort, parts: NewsOverPortParts) {
    this.#port = port
    this.#parts = parts
  }

  start(): Promise<void> {
    const { watched, gatherHintsMs } = this.#parts
    this.#post({ kind: 'hello', watched: watched.buffer, gatherHintsMs })
    this.#port.on('message', (message: FromHub) => this.#receive(message))
    return Promise.resolve()
  }

  tell(hints: readonly ChangeHint[]): void {
    for (const { account, modSeq } of hints) this.#waiting.set(account, modSeq)
    this.#sending ??= setImmediate(() => this.#send())
  }

  say(word: string): void {
    this.#words.push(word)
    this.#sending ??= setImmediate(() => this.#send())
  }

  close(): Promise<void> {
    clearImmediate(this.#sending)
    this.#send()
    this.#port.close()
    return Promise.resolve()
  }

  #send(): void {
    this.#sending = undefined
    const hints = Array.from(this.#waiting, ([account, modSeq]) => ({ account, modSeq }))
    const words = this.#words
    this.#waiting.clear()
    this.#words = []
    if (hints.length > 0 || words.length > 0) this.#post({ kind: 'news', hints, words })
  }

  #post(message: ToHub): void {
    this.#port.postMessage(message)
  }

  #receive(message: FromHub): void {
    const { onHints, onWord, onGap } = this.#parts
    if (message.kind === 'hints') onHints(message.hints)
    else if (message.kind === 'word') onWord(message.word)
    else onGap()
  }
}
