// What the people of a site do in a day: mail that arrives, phones, desktops, POP3 programs, mail that is sent. Few accounts do much of it and many do little.
import { randomBytes } from 'node:crypto'
import { ImapClient } from '../../bench/imap-client.ts'
import { realisticMessage, smallMessage } from '../../bench/messages.ts'
import { Pop3Client } from '../../bench/pop3-client.ts'
import type { Random } from '../../bench/random.ts'
import { password, user } from '../../bench/server.ts'
import { dotStuff, SmtpClient } from '../../bench/smtp-client.ts'
import { idOf } from './drill-message.ts'
import type { SiteNode } from './node-site.ts'

/** How often each is done in a day, for each account of the site: an assumption, from which all else is reckoned. */
export const perDay = {
  /** A message that arrives by LMTP. */
  deliver: 8,
  /** A short one of some 1 KB. */
  notice: 2,
  /** A phone: log-in over TLS, what is new since the last time, the envelopes of it, one body, \Seen, a moment of IDLE, LOGOUT. */
  phone: 8,
  /** A desktop that is in IDLE: what is new, all bodies of it, flags, now and then a search, a MOVE to Trash, APPEND to Sent; IDLE again. */
  desktop: 8,
  /** A POP3 program: log-in over TLS, UIDL, what is new, deletes it, QUIT. One account in twenty has one. */
  pop3: 3,
  /** A submission over TLS with a log-in, to another domain. */
  send: 1,
} as const

export type Kind = keyof typeof perDay
export const kinds = Object.keys(perDay) as Kind[]

export interface DayTrafficOptions {
  readonly nodes: readonly SiteNode[]
  readonly accounts: number
  /** How many of them have a day; the others are only there. */
  readonly active: number
  readonly random: Random
  /** Told of each thing done: the milliseconds that it took. */
  readonly onDone: (kind: Kind, milliseconds: number) => void
}

/** Activity of the account that is n-th by it goes by n to the power of -0.7: of 500 the first tenth has four tenths of the mail. */
const power = 0.7
const pop3Every = 20
/** From the number of an account to that of the next by activity: no neighbours in the database. A prime. */
const stride = 15_485_863
const newsAtOnce = 20
/** Messages to choose from; each that is sent has an id of its own. */
const variety = 300

export class DayTraffic {
  readonly #options: DayTrafficOptions
  readonly #random: Random
  /** Without Message-ID. */
  readonly #messages: readonly Buffer[]
  readonly #desktops: Desktop[] = []
  /** HIGHESTMODSEQ that the phone of an account has seen. */
  readonly #phones = new Map<number, number>()
  /** Accounts whose maildrop is open, which takes one session (RFC 1939 §4), or whose mail is being moved: what POP3 deletes then might be elsewhere and stay. */
  readonly #maildrops = new Set<number>()
  #count = 0
  #turn = 0
  /** The account of each message that was acknowledged, by id. */
  readonly acknowledged = new Map<string, number>()
  readonly deleted = new Set<string>()
  submitted = 0
  #bytes = 0
  #opened = 0

  constructor(options: DayTrafficOptions) {
    this.#options = options
    this.#random = options.random
    this.#messages = Array.from({ length: variety }, (_, at) => {
      const text = withoutId(realisticMessage(at + options.random.below(1e6))).toString('latin1')
      // Attachments that do not compress, as files of today do not.
      return Buffer.from(
        text.replace(/^[A-Za-z0-9+/]{76}$/gm, () => randomBytes(57).toString('base64')),
        'latin1',
      )
    })
  }

  /** What has been done so far: messages that were sent in some way, their bytes, bodies that were read. */
  get totals(): { readonly messages: number; readonly bytes: number; readonly opened: number } {
    return { messages: this.#count, bytes: this.#bytes, opened: this.#opened }
  }

  /** Logs desktops in, over all nodes, and leaves them in IDLE. */
  async openDesktops(count: number): Promise<void> {
    const opening = Array.from({ length: count }, (_, at) => at).values()
    const worker = async () => {
      for (const _ of opening) {
        const account = this.#pick()
        const imap = await this.#imap(account)
        await imap.run('ENABLE CONDSTORE')
        await imap.run('LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN))')
        const modSeq = highestModSeq(await imap.run('SELECT INBOX'))
        await imap.idle()
        this.#desktops.push({ account, imap, modSeq, isBusy: false })
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
  }

  async closeDesktops(): Promise<void> {
    for (const { imap, isBusy } of this.#desktops) {
      // Something failed in it.
      if (isBusy) {
        imap.destroy()
        continue
      }
      await imap.done()
      await imap.logout()
    }
  }

  /** Puts `each` short messages into the queue over each of `connections` that are logged in before, so that nothing but the queue is waited for. Gives the seconds. */
  async fillQueue(connections: number, each: number): Promise<number> {
    const accounts = Array.from({ length: connections }, () => this.#pick())
    const clients = await Promise.all(accounts.map(account => this.#submission(account)))
    const startedAt = performance.now()
    await Promise.all(
      clients.map(async (client, at) => {
        for (let left = each; left > 0; left--) {
          const { message } = this.#message(withoutId(smallMessage(this.#count)))
          await this.#submit(client, accounts[at] ?? 0, message)
        }
      }),
    )
    const seconds = (performance.now() - startedAt) / 1000
    for (const client of clients) await client.quit()
    return seconds
  }

  /** Does one thing of this kind, for an account by chance. */
  async act(kind: Kind): Promise<void> {
    const startedAt = performance.now()
    await this.#acts[kind]()
    this.#options.onDone(kind, performance.now() - startedAt)
  }

  readonly #acts: Readonly<Record<Kind, () => Promise<void>>> = {
    deliver: () => this.#deliver(this.#random.pick(this.#messages)),
    notice: () => this.#deliver(withoutId(smallMessage(this.#count))),
    phone: () => this.#phone(),
    desktop: () => this.#desktop(),
    pop3: () => this.#pop3(),
    send: () => this.#send(),
  }

  async #deliver(text: Buffer): Promise<void> {
    const account = this.#pick()
    const { id, message } = this.#message(text)
    const client = await SmtpClient.connect({ port: this.#node().ports.lmtp }, 'LHLO')
    const [reply] = await client.send('sender@example.net', [user(account)], dotStuff(message))
    if (reply?.code !== 250) throw new Error(`LMTP: ${reply?.code} ${reply?.text}`)
    this.acknowledged.set(id, account)
    await client.quit()
  }

  async #send(): Promise<void> {
    const account = this.#pick()
    const { message } = this.#message(this.#random.pick(this.#messages))
    const client = await this.#submission(account)
    await this.#submit(client, account, message)
    await client.quit()
  }

  async #submit(client: SmtpClient, account: number, message: Buffer): Promise<void> {
    const [reply] = await client.send(user(account), ['someone@elsewhere.example'], dotStuff(message))
    if (reply?.code !== 250) throw new Error(`submission: ${reply?.code} ${reply?.text}`)
    this.submitted++
  }

  async #phone(): Promise<void> {
    const account = this.#pick()
    const imap = await this.#imap(account)
    await imap.run('ENABLE QRESYNC')
    const modSeq = highestModSeq(await imap.run('SELECT INBOX'))
    const news = await uidsSince(imap, this.#phones.get(account) ?? modSeq - newsAtOnce)
    this.#phones.set(account, modSeq)
    const latest = news.slice(-newsAtOnce)
    if (latest.length > 0) {
      await imap.run(`UID FETCH ${latest.join(',')} (FLAGS ENVELOPE INTERNALDATE RFC822.SIZE BODYSTRUCTURE)`)
      const one = this.#random.pick(latest)
      await imap.run(`UID FETCH ${one} BODY.PEEK[]`)
      this.#opened++
      await imap.run(`UID STORE ${one} +FLAGS.SILENT (\\Seen)`)
    }
    await imap.idle()
    await imap.done()
    await imap.logout()
  }

  async #desktop(): Promise<void> {
    const free = this.#desktops.filter(({ isBusy }) => !isBusy)
    const desktop = this.#random.pick(free)
    desktop.isBusy = true
    const { account, imap, modSeq } = desktop
    await imap.done()
    const news = (await uidsSince(imap, modSeq)).slice(-newsAtOnce)
    if (news.length > 0) {
      const set = news.join(',')
      await imap.run(`UID FETCH ${set} (FLAGS ENVELOPE INTERNALDATE RFC822.SIZE BODYSTRUCTURE)`)
      for (const uid of news) await imap.drain(`UID FETCH ${uid} BODY.PEEK[]`)
      this.#opened += news.length
      await imap.run(`UID STORE ${set} +FLAGS.SILENT (\\Seen)`)
      if (this.#random.chance(0.3) && !this.#maildrops.has(account)) {
        this.#maildrops.add(account)
        await imap.run(`UID MOVE ${this.#random.pick(news)} Trash`)
        this.#maildrops.delete(account)
      }
    }
    if (this.#random.chance(0.05)) await imap.run('UID SEARCH TEXT "harbour"')
    if (this.#random.chance(0.12)) {
      const { id, message } = this.#message(this.#random.pick(this.#messages))
      await imap.append('Sent', [message], '\\Seen')
      this.acknowledged.set(id, account)
    }
    desktop.modSeq = highestModSeq(await imap.run('STATUS INBOX (HIGHESTMODSEQ)'))
    await imap.idle()
    desktop.isBusy = false
  }

  async #pop3(): Promise<void> {
    let rank = this.#pickRank()
    rank -= rank % pop3Every
    // One that is busy leaves it to the next, whoever that is.
    while (this.#maildrops.has(this.#accountOf(rank))) rank = (rank + 1) % this.#options.active
    const account = this.#accountOf(rank)
    this.#maildrops.add(account)
    const client = await Pop3Client.login(
      { port: this.#node().ports.pop3s, tls: true },
      user(account),
      password,
    )
    const numbers = [...(await client.askLines('UIDL')).toString().matchAll(/^(\d+) \S+\r$/gm)].map(found =>
      Number(found[1]),
    )
    const gone: string[] = []
    for (const number of numbers.slice(0, newsAtOnce)) {
      gone.push(idOf(await client.askLines(`RETR ${number}`)))
      await client.ask(`DELE ${number}`)
    }
    this.#opened += gone.length
    await client.quit()
    for (const id of gone) this.deleted.add(id)
    this.#maildrops.delete(account)
  }

  #message(text: Buffer): { readonly id: string; readonly message: Buffer } {
    const id = `day-${++this.#count}`
    const message = Buffer.concat([Buffer.from(`Message-ID: <${id}@drill.test>\r\n`), text])
    this.#bytes += message.length
    return { id, message }
  }

  /** Logged in. */
  async #submission(account: number): Promise<SmtpClient> {
    const port = this.#node().ports.submissions
    const client = await SmtpClient.connect({ port, tls: true }, 'EHLO')
    await client.authenticate(user(account), password)
    return client
  }

  /** An account, by activity. */
  #pick(): number {
    return this.#accountOf(this.#pickRank())
  }

  #pickRank(): number {
    const { active } = this.#options
    const place = (1 + this.#random.next() * (active ** (1 - power) - 1)) ** (1 / (1 - power))
    return Math.floor(place - 1)
  }

  #accountOf(rank: number): number {
    return (rank * stride) % this.#options.accounts
  }

  /** Each connection goes to the next node, as through a balancer. */
  #node(): SiteNode {
    const { nodes } = this.#options
    return nodes[this.#turn++ % nodes.length] as SiteNode
  }

  #imap(account: number): Promise<ImapClient> {
    return ImapClient.login({ port: this.#node().ports.imaps, tls: true }, user(account), password)
  }
}

function withoutId(message: Buffer): Buffer {
  return Buffer.from(message.toString('latin1').replace(/^Message-ID: .*\r\n/m, ''), 'latin1')
}

interface Desktop {
  readonly account: number
  readonly imap: ImapClient
  modSeq: number
  isBusy: boolean
}

function highestModSeq({ bytes }: { readonly bytes: Buffer }): number {
  return Number(/HIGHESTMODSEQ (\d+)/.exec(bytes.toString('latin1'))?.[1])
}

/** The UIDs of what changed after this modSeq (RFC 7162 §3.1.4.1). */
async function uidsSince(imap: ImapClient, modSeq: number): Promise<number[]> {
  const { bytes } = await imap.run(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${Math.max(1, modSeq)})`)
  return [...bytes.toString('latin1').matchAll(/\(UID (\d+)/g)].map(found => Number(found[1]))
}
