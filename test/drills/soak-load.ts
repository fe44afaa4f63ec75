// What the clients of the soak do, each in a loop until it is told to stop: mixed IMAP sessions, plain and over TLS; deliveries by LMTP,
// SMTP and submission; POP3 sessions that fetch and delete; sessions in IDLE that hear of the mail.
import { ImapClient } from '../../bench/imap-client.ts'
import { MixedSession, mixedMailboxes, mixedMessages } from '../../bench/mixed-session.ts'
import { fill } from '../../bench/mailboxes.ts'
import { messageOfSize, smallMessage } from '../../bench/messages.ts'
import { Pop3Client } from '../../bench/pop3-client.ts'
import { Random } from '../../bench/random.ts'
import { password, type Server, user } from '../../bench/server.ts'
import { dotStuff, SmtpClient } from '../../bench/smtp-client.ts'
import { drillMessage, idOf } from './drill-message.ts'

export type Kind = 'imap' | 'deliver' | 'pop3' | 'notify'

/** Accounts of mixed sessions; those behind them get mail. */
const mixedAccounts = 8
const mailAccounts = [8, 9, 10] as const
export const soakAccounts = mixedAccounts + mailAccounts.length

export interface SoakOptions {
  readonly server: Server
  readonly seed: number
  /** POP3 leaves the mail where it is: a fault. */
  readonly keepsMail: boolean
  /** Told of each operation: the milliseconds that it took. */
  readonly onDone: (kind: Kind, milliseconds: number) => void
}

export class SoakLoad {
  readonly #options: SoakOptions
  readonly #isOver = new AbortController()
  #workers: Promise<void>[] = []
  /** The ids of the messages that an account got and nobody deleted. */
  readonly #inboxes = new Map(mailAccounts.map(account => [account, new Set<string>()] as const))
  /** Ids of those that were deleted before we heard that they had been accepted. */
  readonly #early = new Set<string>()
  #count = 0

  constructor(options: SoakOptions) {
    this.#options = options
  }

  async prepare(): Promise<void> {
    for (let account = 0; account < mixedAccounts; account++) {
      for (const mailbox of mixedMailboxes) {
        await fill(this.#options.server, account, mailbox, mixedMessages, smallMessage)
      }
    }
  }

  /** Begins; what fails on the way is thrown by stop(). */
  start(): void {
    const loops: (() => Promise<void>)[] = []
    for (let account = 0; account < mixedAccounts; account++) loops.push(() => this.#mixed(account))
    mailAccounts.forEach((account, at) => {
      loops.push(
        () => this.#deliver(account, at),
        () => this.#fetch(account),
        () => this.#listen(account),
      )
    })
    this.#workers = loops.map(loop => loop())
    for (const worker of this.#workers) worker.catch(() => this.#isOver.abort())
  }

  /** One of them has failed. */
  get hasFailed(): boolean {
    return this.#isOver.signal.aborted
  }

  async stop(): Promise<void> {
    this.#isOver.abort()
    await Promise.all(this.#workers)
  }

  /** What is wrong with the INBOX of each account that gets mail, once the queue has had time to deliver the last of it. */
  async judge(): Promise<string[]> {
    for (let left = 30; ; left--) {
      const wrong = await this.#judge()
      if (wrong.length === 0 || left === 0) return wrong
      await this.#pause(1000)
    }
  }

  async #judge(): Promise<string[]> {
    const wrong: string[] = []
    for (const [account, ids] of this.#inboxes) {
      const client = await this.#pop3(account)
      const found = new Set<string>()
      for (const number of await numbersIn(client)) found.add(idOf(await client.askLines(`RETR ${number}`)))
      await client.quit()
      for (const id of ids) if (!found.has(id)) wrong.push(`${user(account)}: acknowledged ${id} is lost`)
      for (const id of found)
        if (!ids.has(id)) wrong.push(`${user(account)}: ${id} came back or from nowhere`)
    }
    return wrong
  }

  /** Puts so much mail into the INBOX of the first account. */
  async addBallast(megabytes: number): Promise<void> {
    const client = await this.#imap(0, false)
    for (let left = megabytes; left > 0; left--) {
      const messages = Array.from({ length: 16 }, (_, at) => messageOfSize(left * 16 + at, 2 ** 16))
      await client.append('INBOX', messages)
    }
    await client.logout()
  }

  /** Expunges all mail of all accounts. */
  async empty(): Promise<void> {
    for (let account = 0; account < soakAccounts; account++) {
      const client = await this.#imap(account, false)
      for (const mailbox of ['INBOX', ...mixedMailboxes]) {
        const { status } = await client.ask(`SELECT ${mailbox}`)
        if (!status.startsWith('OK')) continue
        await client.run('UID STORE 1:* +FLAGS.SILENT (\\Deleted)')
        await client.run('EXPUNGE')
      }
      await client.logout()
    }
  }

  async #mixed(account: number): Promise<void> {
    const random = new Random(this.#options.seed + account)
    while (!this.hasFailed) {
      const tls = random.chance(0.2)
      const open = () => this.#imap(account, tls)
      const onCommand = (milliseconds: number) => this.#options.onDone('imap', milliseconds)
      await new MixedSession({ open, random, onCommand, pauseMs: 20 }).run()
    }
  }

  /** A connection for some messages, by LMTP, SMTP or submission. */
  async #deliver(account: (typeof mailAccounts)[number], way: number): Promise<void> {
    const { server, seed } = this.#options
    const random = new Random(seed + 100 + account)
    const ids = this.#inboxes.get(account)
    while (!this.hasFailed) {
      const port = [server.ports.lmtp, server.ports.smtp, server.ports.submission][way] ?? server.ports.lmtp
      const client = await SmtpClient.connect({ port }, way === 0 ? 'LHLO' : 'EHLO')
      if (way === 2) await client.authenticate(user(account), password)
      for (let left = 1 + random.below(30); left > 0 && !this.hasFailed; left--) {
        const id = `${account}-${++this.#count}`
        const message = dotStuff(drillMessage(id, random))
        const startedAt = performance.now()
        const from = way === 2 ? user(account) : 'sender@example.net'
        const [reply] = await client.send(from, [user(account)], message)
        if (reply?.code !== 250) throw new Error(`delivery: ${reply?.code} ${reply?.text}`)
        this.#options.onDone('deliver', performance.now() - startedAt)
        if (!this.#early.delete(id)) ids?.add(id)
        await this.#pause(random.below(40))
      }
      await client.quit()
    }
  }

  /** Fetches all that is there, deletes it, and looks again a while later. */
  async #fetch(account: (typeof mailAccounts)[number]): Promise<void> {
    const ids = this.#inboxes.get(account)
    while (!this.hasFailed) {
      await this.#pause(500)
      const startedAt = performance.now()
      const client = await this.#pop3(account)
      const numbers = await numbersIn(client)
      const fetched: string[] = []
      for (const number of numbers.slice(0, 50)) {
        fetched.push(idOf(await client.askLines(`RETR ${number}`)))
        if (!this.#options.keepsMail) await client.ask(`DELE ${number}`)
      }
      await client.quit()
      this.#options.onDone('pop3', (performance.now() - startedAt) / (3 + 2 * fetched.length))
      if (this.#options.keepsMail) continue
      for (const id of fetched) if (ids?.delete(id) !== true) this.#early.add(id)
    }
  }

  /** Waits in IDLE for news of the mailbox, some times, and comes back over the other kind of connection. */
  async #listen(account: number): Promise<void> {
    for (let tls = false; !this.hasFailed; tls = !tls) {
      const client = await this.#imap(account, tls)
      await client.run('SELECT INBOX')
      for (let left = 20; left > 0 && !this.hasFailed; left--) {
        const startedAt = performance.now()
        await client.idle()
        await this.#pause(250)
        await client.done()
        this.#options.onDone('notify', performance.now() - startedAt - 250)
      }
      await client.logout()
    }
  }

  #imap(account: number, tls: boolean): Promise<ImapClient> {
    const { ports } = this.#options.server
    return ImapClient.login({ port: tls ? ports.imaps : ports.imap, tls }, user(account), password)
  }

  #pop3(account: number): Promise<Pop3Client> {
    return Pop3Client.login({ port: this.#options.server.ports.pop3 }, user(account), password)
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise(resolve => setTimeout(resolve, milliseconds))
  }
}

async function numbersIn(client: Pop3Client): Promise<number[]> {
  const lines = (await client.askLines('LIST')).toString('latin1').split('\r\n')
  return lines.flatMap(line => {
    const number = /^(\d+) \d+$/.exec(line)?.[1]
    return number === undefined ? [] : [Number(number)]
  })
}
