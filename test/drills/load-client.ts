// A client that sends one message after another by its protocol into one account, on another node where one fails, and keeps what was acknowledged.
import { setTimeout as sleep } from 'node:timers/promises'
import { ImapClient } from '../../bench/imap-client.ts'
import { Random } from '../../bench/random.ts'
import { password, user } from '../../bench/server.ts'
import { dotStuff, SmtpClient } from '../../bench/smtp-client.ts'
import { drillMessage } from './drill-message.ts'
import type { Drill } from './drill.ts'
import type { SiteNode } from './node-site.ts'

export const protocols = ['SMTP', 'LMTP', 'APPEND'] as const
export type Protocol = (typeof protocols)[number]

export interface LoadClientOptions {
  readonly protocol: Protocol
  readonly account: number
  readonly nodes: readonly SiteNode[]
  /** The node that it begins with, counted round. */
  readonly first: number
  readonly drill: Drill
}

/** What one connection does. */
interface Sender {
  /** The UID, where the protocol tells it. */
  send(message: Buffer): Promise<number | undefined>
  destroy(): void
}

/** Between two messages. */
const pauseMs = 200
/** No answer takes longer: the server gives up before, and says so. */
const patienceMs = 150_000

/** The message of an id, which ends with its seed. */
export function messageOf(id: string): Buffer {
  return drillMessage(id, new Random(Number(id.split('-').at(-1))))
}

export class LoadClient {
  readonly protocol: Protocol
  readonly account: number
  /** What its ids begin with. */
  readonly name: string
  /** Ids, with their UIDs where those are known. */
  readonly acknowledged = new Map<string, number | undefined>()
  failures = 0
  readonly #nodes: readonly SiteNode[]
  readonly #drill: Drill
  #node: number
  #count = 0
  #lastAckAt = performance.now()
  #longestWaitMs = 0
  #window = Promise.withResolvers<void>()
  #windowFrom = 0

  constructor({ protocol, account, nodes, first, drill }: LoadClientOptions) {
    this.protocol = protocol
    this.account = account
    this.name = `${protocol}${account}`
    this.#nodes = nodes
    this.#node = first
    this.#drill = drill
  }

  /** Longest time without an acknowledgement since `beginWindow`. */
  get longestWaitMs(): number {
    return Math.max(this.#longestWaitMs, performance.now() - this.#lastAckAt)
  }

  beginWindow(): void {
    this.#longestWaitMs = 0
    this.#windowFrom = performance.now()
    this.#window = Promise.withResolvers()
  }

  /** Settles when a message that was begun in this window is acknowledged. */
  served(): Promise<void> {
    return this.#window.promise
  }

  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let sender: Sender | undefined
      try {
        sender = await this.#connect(this.#nodes[this.#node % this.#nodes.length] as SiteNode)
        while (!signal.aborted) {
          await this.#sendOne(sender)
          await sleep(pauseMs)
        }
      } catch (error) {
        this.failures++
        const { message } = error as Error
        if (!isTemporary(message)) this.#drill.violation(`${this.name}: ${message.slice(0, 300)}`)
        this.#node++
        await sleep(50)
      }
      sender?.destroy()
    }
  }

  async #sendOne(sender: Sender): Promise<void> {
    const id = `${this.name}-${++this.#count}-${this.#drill.random.below(1e9)}`
    const begunAt = performance.now()
    const timer = setTimeout(() => {
      this.#drill.violation(`${id} was never answered`)
      sender.destroy()
    }, patienceMs)
    try {
      this.acknowledged.set(id, await sender.send(messageOf(id)))
    } finally {
      clearTimeout(timer)
    }
    const now = performance.now()
    this.#longestWaitMs = Math.max(this.#longestWaitMs, now - this.#lastAckAt)
    this.#lastAckAt = now
    if (begunAt > this.#windowFrom) this.#window.resolve()
  }

  async #connect({ ports }: SiteNode): Promise<Sender> {
    if (this.protocol === 'APPEND') {
      const imap = await ImapClient.login({ port: ports.imap }, user(this.account), password)
      return {
        async send(message) {
          const { status } = await imap.append('INBOX', [message])
          return Number(/APPENDUID \d+ (\d+)/.exec(status)?.[1])
        },
        destroy: () => imap.destroy(),
      }
    }
    const isLmtp = this.protocol === 'LMTP'
    const port = isLmtp ? ports.lmtp : ports.smtp
    const smtp = await SmtpClient.connect({ port }, isLmtp ? 'LHLO' : 'EHLO')
    return {
      send: async message => {
        const [reply] = await smtp.send('sender@example.net', [user(this.account)], dotStuff(message))
        if (reply?.code !== 250) throw new Error(`refused: ${reply?.code} ${reply?.text}`)
        return undefined
      },
      destroy: () => smtp.destroy(),
    }
  }
}

/** A connection that cannot be made or breaks, and what a server says that cannot serve now. */
function isTemporary(message: string): boolean {
  return (
    /ECONNREFUSED|ECONNRESET|EPIPE|closed the connection|socket hang up/.test(message) ||
    /: 4\d\d |: NO \[UNAVAILABLE\]|\* BYE/.test(message)
  )
}
