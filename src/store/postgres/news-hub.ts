// One LISTEN session for all stores of a process, since each that listens is woken by each commit of any node. A store in another thread has a port to it.
//
// What one of these stores tells, the others hear at once; the database hears it with what the rest of them tell meanwhile. Threads that watch none of the
// accounts sleep on.
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import { AccountCounts } from '../account-counts.ts'
import { HintFilter } from '../hint-filter.ts'
import type { ChangeHint } from '../store.ts'
import { Statements } from './dialect.ts'
import type { FromHub, ToHub } from './news.ts'
import { Notifications } from './notifications.ts'
import type { PostgresPlace } from './place.ts'
import { findServerError } from './server-error.ts'
import { SessionOpener } from './session-pool.ts'
import { parseTarget } from './target.ts'

export class NewsHub {
  readonly #notifications: Notifications
  readonly #ending = new AbortController()
  readonly #clients = new Set<Client>()

  private constructor({ url, tls }: Pick<PostgresPlace, 'url' | 'tls'>, log: Log) {
    this.#notifications = new Notifications({
      opener: new SessionOpener({ targets: parseTarget(url, tls), log }),
      statements: new Statements(),
      log,
      signal: this.#ending.signal,
      onHints: hints => this.#tell(hints),
      onWord: word => this.#say(word),
      onGap: () => {
        for (const client of this.#clients) client.post({ kind: 'gap' })
      },
    })
  }

  /** Settles when it listens. Throws `StoreError`. */
  static async start(place: Pick<PostgresPlace, 'url' | 'tls'>, log: Log): Promise<NewsHub> {
    const hub = new NewsHub(place, log)
    try {
      await hub.#notifications.start(performance.now() + limits.postgres.retryMs)
      return hub
    } catch (error) {
      await hub.close()
      throw findServerError(error) ?? error
    }
  }

  /** A port for one store (`PostgresPlace.news`); transfer it where that is in another thread. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    const client = new Client(port1, (hints, words) => {
      this.#tell(hints, client)
      this.#notifications.tell(hints)
      for (const word of words) {
        this.#say(word, client)
        this.#notifications.say(word)
      }
    })
    this.#clients.add(client)
    // Also when its thread has died.
    port1.on('close', () => this.#clients.delete(client))
    return port2
  }

  /** Tells the database what is still to tell, then ends. The stores are closed. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.close()
    this.#ending.abort()
    await this.#notifications.close()
  }

  #tell(hints: readonly ChangeHint[], teller?: Client): void {
    for (const client of this.#clients) if (client !== teller) client.tell(hints)
  }

  #say(word: string, teller?: Client): void {
    for (const client of this.#clients) if (client !== teller) client.post({ kind: 'word', word })
  }
}

type OnNews = (hints: readonly ChangeHint[], words: readonly string[]) => void

/** The port of one store. */
class Client {
  readonly #port: MessagePort
  readonly #onNews: OnNews
  /** What it wants to hear; until it has said so, of everything. */
  #filter: HintFilter | undefined

  constructor(port: MessagePort, onNews: OnNews) {
    this.#port = port
    this.#onNews = onNews
    port.on('message', (message: ToHub) => this.#receive(message))
  }

  tell(hints: readonly ChangeHint[]): void {
    const wanted = this.#filter?.take(hints) ?? hints
    if (wanted.length > 0) this.post({ kind: 'hints', hints: wanted })
  }

  post(message: FromHub): void {
    this.#port.postMessage(message)
  }

  /** Takes what its store has said last. */
  close(): void {
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port))
      this.#receive(next.message as ToHub)
    this.#filter?.close()
    this.#port.close()
  }

  #receive(message: ToHub): void {
    if (message.kind === 'news') this.#onNews(message.hints, message.words)
    else
      this.#filter = new HintFilter(new AccountCounts(message.watched), message.gatherHintsMs, gathered =>
        this.post({ kind: 'hints', hints: gathered }),
      )
  }
}
