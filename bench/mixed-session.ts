// A client that logs in, does what mail programs do, by chance, and logs out. The same seed says the same to every server, since it
// is alone in its account: what it says depends on what it did before, never on time.
import type { ImapClient } from './imap-client.ts'
import { messageOfSize } from './messages.ts'
import type { Random } from './random.ts'

export const mixedMailboxes = ['mixed', 'mixed2'] as const

/** Messages with which each mailbox begins, and around which its number stays. */
export const mixedMessages = 60

const flagNames = ['\\Flagged', '\\Answered', '\\Seen', '\\Draft', 'later']
const searches = [
  'UNSEEN',
  'SINCE 1-Jan-2000',
  'SUBJECT "railway"',
  'FROM "sender3"',
  'TEXT "harbour"',
  'LARGER 3000 NOT FLAGGED',
]

export interface MixedSessionOptions {
  /** Connects and logs in. */
  readonly open: () => Promise<ImapClient>
  readonly random: Random
  /** Told of each command: the milliseconds from its being sent to its answer. */
  readonly onCommand: (milliseconds: number) => void
  /** The mean of the pauses between what it does; none where it isn't said. */
  readonly pauseMs?: number
}

export class MixedSession {
  readonly #options: MixedSessionOptions
  readonly #random: Random
  #client: ImapClient | undefined
  #mailbox: string = mixedMailboxes[0]
  #exists = 0
  #uidNext = 1

  constructor(options: MixedSessionOptions) {
    this.#options = options
    this.#random = options.random
  }

  /** Logs in, does some thirty things and logs out. */
  async run(): Promise<void> {
    const startedAt = performance.now()
    const { open, onCommand } = this.#options
    this.#client = await open()
    onCommand(performance.now() - startedAt)
    if (this.#random.chance(0.5)) await this.#say('ENABLE CONDSTORE')
    if (this.#random.chance(0.3)) await this.#say('NAMESPACE')
    await this.#select(this.#random.pick(mixedMailboxes))
    for (let left = 15 + this.#random.below(30); left > 0; left--) {
      await this.#step()
      await this.#pause()
    }
    await this.#say('LOGOUT')
    this.#client.destroy()
  }

  async #step(): Promise<void> {
    if (this.#exists < mixedMessages / 2) return this.#append()
    if (this.#exists > mixedMessages * 2) return this.#expunge()
    let dice = this.#random.next()
    for (const [share, act] of this.#acts) {
      dice -= share
      if (dice < 0) return act()
    }
    await this.#say('NOOP')
  }

  /** How often each thing is done; the rest is NOOP. */
  readonly #acts: readonly (readonly [share: number, act: () => Promise<void>])[] = [
    [0.12, () => this.#say(`FETCH ${this.#numbers(20)} (UID FLAGS)`)],
    [
      0.1,
      () => this.#say(`UID FETCH ${this.#uids(20)} (FLAGS ENVELOPE INTERNALDATE RFC822.SIZE BODYSTRUCTURE)`),
    ],
    [0.12, () => this.#say(`FETCH ${this.#numbers(1)} BODY.PEEK[]`)],
    [0.04, () => this.#say(`UID FETCH ${this.#uids(10)} BODY.PEEK[HEADER.FIELDS (FROM TO DATE REFERENCES)]`)],
    [0.03, () => this.#say(`FETCH ${this.#numbers(1)} BODY[TEXT]`)],
    [0.12, () => this.#say(`UID STORE ${this.#uids(2)} ${this.#change()}`)],
    [0.03, () => this.#say(`STORE ${this.#numbers(5)} ${this.#change()}`)],
    [0.07, () => this.#append()],
    [0.03, () => this.#expunge()],
    [0.02, () => this.#say(`UID COPY ${this.#uids(3)} ${this.#other()}`)],
    [0.02, () => this.#move()],
    [0.06, () => this.#say(`UID SEARCH ${this.#random.pick(searches)}`)],
    [0.02, () => this.#say(`UID SORT (REVERSE DATE) UTF-8 ${this.#random.pick(searches)}`)],
    [0.01, () => this.#say('UID THREAD REFERENCES UTF-8 ALL')],
    [0.03, () => this.#say(`STATUS ${this.#other()} (MESSAGES UNSEEN UIDNEXT)`)],
    [0.02, () => this.#say('LIST "" "*"')],
    [0.01, () => this.#say('LSUB "" "*"')],
    [0.01, () => this.#say('CAPABILITY')],
    [0.01, () => this.#say('CHECK')],
    [0.03, () => this.#select(this.#random.pick(mixedMailboxes))],
    [0.01, () => this.#reopen()],
    [0.01, () => this.#mailboxes()],
    [0.01, () => this.#idle()],
  ]

  async #say(command: string | readonly Buffer[]): Promise<void> {
    const client = this.#client
    if (client === undefined) throw new Error('not logged in')
    const startedAt = performance.now()
    const { bytes } = await client.run(command)
    this.#options.onCommand(performance.now() - startedAt)
    this.#look(bytes)
  }

  /** How many messages there are, from EXISTS and EXPUNGE at the starts of lines. */
  #look(bytes: Buffer): void {
    for (let at = bytes.indexOf('* '); at >= 0; at = bytes.indexOf('\n* ', at + 1)) {
      const line = bytes.toString('latin1', at, at + 40)
      const found = /^\n?\* (\d+) (EXISTS|EXPUNGE)/.exec(line)
      if (found?.[2] === 'EXISTS') this.#exists = Number(found[1])
      else if (found?.[2] === 'EXPUNGE') this.#exists--
    }
  }

  async #select(mailbox: string, verb = 'SELECT'): Promise<void> {
    const client = this.#client
    if (client === undefined) throw new Error('not logged in')
    this.#exists = 0
    const startedAt = performance.now()
    const { bytes } = await client.run(`${verb} ${mailbox}`)
    this.#options.onCommand(performance.now() - startedAt)
    this.#look(bytes)
    this.#uidNext = Number(/UIDNEXT (\d+)/.exec(bytes.toString('latin1'))?.[1])
    this.#mailbox = mailbox
  }

  async #reopen(): Promise<void> {
    await this.#say(this.#random.chance(0.5) ? 'CLOSE' : 'UNSELECT')
    await this.#select(this.#mailbox, 'EXAMINE')
    await this.#select(this.#mailbox)
  }

  async #append(): Promise<void> {
    const message = messageOfSize(this.#random.below(1e9), 1500 + this.#random.below(8000))
    await this.#say([Buffer.from(`APPEND ${this.#mailbox} {${message.length}+}\r\n`), message])
  }

  async #expunge(): Promise<void> {
    await this.#say(`STORE ${this.#numbers(6)} +FLAGS.SILENT (\\Deleted)`)
    await this.#say('EXPUNGE')
  }

  async #move(): Promise<void> {
    await this.#say(`MOVE ${this.#numbers(2)} ${this.#other()}`)
  }

  async #mailboxes(): Promise<void> {
    const name = `folder${this.#random.below(1e9)}`
    await this.#say(`CREATE ${name}`)
    await this.#say(`SUBSCRIBE ${name}`)
    await this.#say(`RENAME ${name} ${name}x`)
    await this.#say(`UNSUBSCRIBE ${name}`)
    await this.#say(`DELETE ${name}x`)
  }

  async #idle(): Promise<void> {
    const startedAt = performance.now()
    await this.#client?.idle()
    await this.#client?.done()
    this.#options.onCommand(performance.now() - startedAt)
  }

  async #pause(): Promise<void> {
    const { pauseMs = 0 } = this.#options
    if (pauseMs === 0) return
    await new Promise(resolve => setTimeout(resolve, pauseMs * (0.5 + Math.random())))
  }

  #other(): string {
    return mixedMailboxes.find(name => name !== this.#mailbox) ?? this.#mailbox
  }

  #change(): string {
    return `${this.#random.pick(['+', '-'])}FLAGS (${this.#random.pick(flagNames)})`
  }

  /** Up to `most` message numbers that there are. */
  #numbers(most: number): string {
    return this.#range(this.#exists, most)
  }

  /** UIDs of the size of the mailbox's, of which some are gone. */
  #uids(most: number): string {
    return this.#range(this.#uidNext - 1, most)
  }

  #range(last: number, most: number): string {
    const from = 1 + this.#random.below(Math.max(1, last))
    return most === 1 ? String(from) : `${from}:${Math.min(last, from + most - 1)}`
  }
}
