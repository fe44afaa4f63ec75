// A session that appends, flags, copies, moves and expunges at random in its own account, and keeps the model of what was acknowledged.
import { ImapClient } from '../../bench/imap-client.ts'
import type { Random } from '../../bench/random.ts'
import { password, type Server, user } from '../../bench/server.ts'
import { drillMessage } from './drill-message.ts'
import { change, hashOf, MailModel, type ModelMessage, readMailboxes } from './mail-model.ts'

const mailboxes = ['INBOX', 'Second', 'Third']
const flagNames = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', 'work', 'later']

/** Messages in one mailbox beyond which expunging becomes likelier. */
const crowded = 60

export class ImapWorker {
  readonly model = new MailModel()
  readonly account: number
  readonly #random: Random
  #count = 0

  constructor(account: number, random: Random) {
    this.account = account
    this.#random = random
  }

  /** Makes the mailboxes and reads them; gives what is wrong with them. */
  async observe(server: Server): Promise<string[]> {
    const client = await ImapClient.login({ port: server.ports.imap }, user(this.account), password)
    for (const name of mailboxes) if (name !== 'INBOX') await client.ask(`CREATE ${name}`)
    const observed = await readMailboxes(client, mailboxes)
    await client.logout()
    return this.model.observe(observed)
  }

  /** Works until the connection breaks, which is thrown. */
  async work(server: Server): Promise<never> {
    const client = await ImapClient.login({ port: server.ports.imap }, user(this.account), password)
    for (;;) {
      const name = this.#random.pick(mailboxes)
      const others = mailboxes.filter(other => other !== name)
      await client.run(`SELECT ${name} (CONDSTORE)`)
      for (let left = 1 + this.#random.below(6); left > 0; left--) {
        await this.#step(client, name, this.#random.pick(others))
      }
    }
  }

  async #step(client: ImapClient, name: string, other: string): Promise<void> {
    const { size } = this.model.mailbox(name).messages
    const dice = this.#random.next()
    if (size < 5 || dice < 0.35) await this.#append(client, name)
    else if (size > crowded || dice < 0.45) await this.#expunge(client, name)
    else if (dice < 0.7) await this.#store(client, name)
    else if (dice < 0.85) await this.#copy(client, name, other)
    else await this.#move(client, name, other)
  }

  async #append(client: ImapClient, mailbox: string): Promise<void> {
    const flags = this.#flags()
    const bodies = Array.from({ length: this.#random.chance(0.2) ? 3 : 1 }, () =>
      drillMessage(`${this.account}.${++this.#count}.${this.#random.below(1e9)}`, this.#random),
    )
    const added = bodies.map(body => ({ mailbox, message: { hash: hashOf(body), flags } }))
    this.model.begin(change({ added }))
    const { status } = await client.append(mailbox, bodies, [...flags].join(' '))
    this.model.acknowledge(expand(/APPENDUID \d+ ([\d:,]+)/.exec(status)?.[1]))
  }

  async #store(client: ImapClient, mailbox: string): Promise<void> {
    const uids = this.#some(mailbox)
    const flags = this.#flags()
    this.model.begin(change({ flagged: uids.map(uid => ({ mailbox, uid, flags })) }))
    const { bytes } = await client.run(`UID STORE ${uids.join(',')} FLAGS.SILENT (${[...flags].join(' ')})`)
    this.model.acknowledge([], highestModSeqIn(bytes))
  }

  async #copy(client: ImapClient, mailbox: string, target: string): Promise<void> {
    const uids = this.#some(mailbox)
    const added = uids.map(uid => ({ mailbox: target, message: this.#messageOf(mailbox, uid) }))
    this.model.begin(change({ added }))
    const { bytes } = await client.run(`UID COPY ${uids.join(',')} ${target}`)
    this.model.acknowledge(copied(bytes))
  }

  async #move(client: ImapClient, mailbox: string, target: string): Promise<void> {
    const uids = this.#some(mailbox)
    const added = uids.map(uid => ({ mailbox: target, message: this.#messageOf(mailbox, uid) }))
    this.model.begin(change({ added, removed: uids.map(uid => ({ mailbox, uid })) }))
    const { bytes } = await client.run(`UID MOVE ${uids.join(',')} ${target}`)
    this.model.acknowledge(copied(bytes))
  }

  async #expunge(client: ImapClient, mailbox: string): Promise<void> {
    const uids = this.#some(mailbox, 20)
    const set = uids.join(',')
    const flagged = uids.map(uid => {
      const flags = new Set([...this.#messageOf(mailbox, uid).flags, '\\Deleted'])
      return { mailbox, uid, flags }
    })
    this.model.begin(change({ flagged }))
    const { bytes } = await client.run(`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`)
    this.model.acknowledge([], highestModSeqIn(bytes))
    this.model.begin(change({ removed: uids.map(uid => ({ mailbox, uid })) }))
    await client.run(`UID EXPUNGE ${set}`)
    this.model.acknowledge([])
  }

  #messageOf(mailbox: string, uid: number): ModelMessage {
    const found = this.model.mailbox(mailbox).messages.get(uid)
    if (found === undefined) throw new Error(`the model has no UID ${uid} in ${mailbox}`)
    return found
  }

  /** Some UIDs of a mailbox, ascending. */
  #some(mailbox: string, most = 5): number[] {
    const all = [...this.model.mailbox(mailbox).messages.keys()]
    const chosen = new Set(Array.from({ length: 1 + this.#random.below(most) }, () => this.#random.pick(all)))
    return [...chosen].toSorted((a, b) => a - b)
  }

  #flags(): Set<string> {
    return new Set(flagNames.filter(() => this.#random.chance(0.3)))
  }
}

/** The numbers of a UID set, in its order. */
export function expand(set: string | undefined): number[] {
  if (set === undefined) return []
  return set.split(',').flatMap(range => {
    const [from = 0, to = from] = range.split(':').map(Number)
    const step = from <= to ? 1 : -1
    return Array.from({ length: Math.abs(to - from) + 1 }, (_, at) => from + at * step)
  })
}

/** The UIDs that COPYUID tells of the target (RFC 9051 §7.1). */
function copied(bytes: Buffer): number[] {
  return expand(/COPYUID \d+ [\d:,]+ ([\d:,]+)/.exec(bytes.toString('latin1'))?.[1])
}

function highestModSeqIn(bytes: Buffer): bigint {
  let highest = 0n
  for (const [, digits] of bytes.toString('latin1').matchAll(/MODSEQ \((\d+)\)/g)) {
    if (BigInt(digits ?? 0) > highest) highest = BigInt(digits ?? 0)
  }
  return highest
}
