// Six IMAP sessions on three nodes of one PostgreSQL change one mailbox for a minute; no message number is ever misread, and then all show the same.
// node test/drills/converge-nodes.ts [--count SECONDS] [--seed N] [--fault flag|number]
import { ImapClient } from '../../bench/imap-client.ts'
import { Random } from '../../bench/random.ts'
import { password, user } from '../../bench/server.ts'
import { drillMessage } from './drill-message.ts'
import { Drill } from './drill.ts'
import { startSite } from './node-site.ts'

/** What a session has been told of one message. */
interface Told {
  uid: number | undefined
  flags: string | undefined
}

const flagNames = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', 'work']
const drill = new Drill('converge-nodes', { count: 60, faults: ['flag', 'number'] })
/** Which message each UID is, whoever fetched it. */
const idOfUid = new Map<number, string>()
const counts = { changes: 0, checks: 0, expunges: 0 }

class Session {
  readonly name: string
  readonly #client: ImapClient
  readonly #random: Random
  /** By message number, from 0. */
  #messages: Told[] = []
  #count = 0

  constructor(name: string, client: ImapClient, random: Random) {
    this.name = name
    this.#client = client
    this.#random = random
  }

  get size(): number {
    return this.#messages.length
  }

  async select(): Promise<void> {
    await this.#run('SELECT INBOX', 'any')
    await this.#fetchNew()
  }

  /** One random command, and often a look whether a number still means what this session believes. */
  async step(): Promise<void> {
    const dice = this.#random.next()
    const number = 1 + this.#random.below(Math.max(1, this.size))
    const flag = this.#random.pick(flagNames)
    if (this.size < 40 || dice < 0.15) await this.#append()
    else if (dice < 0.35) await this.#run(`STORE ${number} +FLAGS (${flag})`, 'none')
    else if (dice < 0.5) await this.#run(`STORE ${number} -FLAGS (${flag})`, 'none')
    else if (dice < 0.6)
      await this.#run(`UID STORE ${this.#uid(number)} FLAGS.SILENT (${flag})`, 'any', number, flag)
    else if (dice < 0.75) {
      await this.#run(`UID STORE ${this.#uid(number)} +FLAGS (\\Deleted)`, 'any')
      await this.#run('EXPUNGE', 'any')
    } else if (dice < 0.85) await this.#run('NOOP', 'any')
    else await this.#check()
    counts.changes++
    await this.#fetchNew()
  }

  /** Hears everything; gives what this session believes, a line for each message. */
  async belief(): Promise<string[]> {
    await this.#run('NOOP', 'any')
    await this.#fetchNew()
    if (drill.fault === 'number' && this.name === 'session 2') this.#messages.shift()
    return this.#messages.map(({ uid, flags }, at) => `${at + 1} ${uid} (${flags})`)
  }

  async logout(): Promise<void> {
    await this.#client.logout()
  }

  /** RFC 3501 §7.4.1: while a FETCH, STORE or SEARCH by numbers runs, no EXPUNGE may be sent. */
  async #run(
    command: string,
    expunges: 'any' | 'none',
    silentNumber?: number,
    flag?: string,
  ): Promise<Buffer> {
    const { bytes, status } = await this.#client.ask(command)
    // RFC 5530 §3: the messages are gone, and the session is told so after a command that allows it.
    const isGone = status.startsWith('NO [EXPUNGEISSUED]')
    if (!status.startsWith('OK') && !isGone) drill.violation(`${this.name}: ${command}: ${status}`)
    const silentUid = silentNumber === undefined ? undefined : this.#messages[silentNumber - 1]?.uid
    this.#hear(bytes.toString('latin1'), expunges, command)
    // What the session itself set is not echoed (RFC 3501 §6.4.6), unless someone else changed it, too, and that was told.
    if (silentUid !== undefined && flag !== undefined && !bytes.includes(`UID ${silentUid} `)) {
      const own = this.#messages.find(({ uid }) => uid === silentUid)
      if (own) own.flags = undefined
    }
    return bytes
  }

  #hear(text: string, expunges: 'any' | 'none', command: string): void {
    for (const part of text.split(/^\* /m).slice(1)) {
      const [, digits = '', what = ''] = /^(\d+) (EXISTS|EXPUNGE|FETCH)/.exec(part) ?? []
      const number = Number(digits)
      if (what === 'EXISTS') {
        if (number < this.size)
          drill.violation(`${this.name}: ${this.size} messages became ${number} without EXPUNGE`)
        while (this.size < number) this.#messages.push({ uid: undefined, flags: undefined })
      } else if (what === 'EXPUNGE') {
        counts.expunges++
        if (expunges === 'none') drill.violation(`${this.name}: EXPUNGE during ${command}`)
        if (number > this.size) drill.violation(`${this.name}: EXPUNGE ${number} of ${this.size}`)
        this.#messages.splice(number - 1, 1)
      } else if (what === 'FETCH') this.#hearFetch(number, part, command)
    }
  }

  #hearFetch(number: number, part: string, command: string): void {
    const told = this.#messages[number - 1]
    if (!told) {
      drill.violation(`${this.name}: FETCH of ${number}, of ${this.size} messages, during ${command}`)
      return
    }
    const uid = /\bUID (\d+)/.exec(part)?.[1]
    const flags = /\bFLAGS \(([^)]*)\)/.exec(part)?.[1]
    if (uid !== undefined) {
      if (told.uid !== undefined && told.uid !== Number(uid))
        drill.violation(`${this.name}: number ${number} is UID ${uid}, and was believed to be ${told.uid}`)
      told.uid = Number(uid)
    }
    if (flags !== undefined) {
      const names = flags.split(' ').filter(name => name !== '' && name !== '\\Recent')
      told.flags = names.toSorted().join(' ')
    }
    const id = /Message-ID: <(.*?)@/i.exec(part)?.[1]
    if (id === undefined || told.uid === undefined) return
    const known = idOfUid.get(told.uid)
    if (known !== undefined && known !== id)
      drill.violation(`${this.name}: number ${number}, UID ${told.uid}, is ${id}, and was ${known}`)
    idOfUid.set(told.uid, id)
  }

  /** By numbers, that is what is tried: what comes must be what the session believes. */
  async #check(): Promise<void> {
    if (this.size === 0) return
    const first = 1 + this.#random.below(this.size)
    const last = Math.min(this.size, first + 5)
    counts.checks += last - first + 1
    await this.#run(`FETCH ${first}:${last} (UID FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])`, 'none')
  }

  /** Asks for what it does not know yet. */
  async #fetchNew(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const first = this.#messages.findIndex(({ uid, flags }) => uid === undefined || flags === undefined)
      if (first < 0) return
      const last = this.#messages.findLastIndex(({ uid, flags }) => uid === undefined || flags === undefined)
      await this.#run(`FETCH ${first + 1}:${last + 1} (UID FLAGS)`, 'none')
      // Some are gone, and it may not be told so during a FETCH by numbers.
      if (attempt > 0) await this.#run('NOOP', 'any')
    }
    const unknown = this.#messages.flatMap(({ uid, flags }, at) =>
      uid === undefined || flags === undefined ? [`${at + 1} ${uid} (${flags})`] : [],
    )
    drill.violation(`${this.name} is not told of ${unknown.join(', ')} of its ${this.size} messages`)
  }

  async #append(): Promise<void> {
    const id = `${this.name.replace(' ', '-')}-${++this.#count}-${this.#random.below(1e9)}`
    const { bytes, status } = await this.#client.append('INBOX', [drillMessage(id, this.#random)])
    this.#hear(bytes.toString('latin1'), 'any', 'APPEND')
    const uid = /APPENDUID \d+ (\d+)/.exec(status)?.[1]
    if (uid !== undefined) idOfUid.set(Number(uid), id)
  }

  #uid(number: number): number {
    return this.#messages[number - 1]?.uid ?? 1
  }
}

const site = await startSite(3, 1)
try {
  await main()
} finally {
  await site.stop()
}
drill.finish()

async function main(): Promise<void> {
  const sessions: Session[] = []
  for (let at = 0; at < 6; at++) {
    const node = site.nodes[at % 3]
    const client = await ImapClient.login({ port: node?.ports.imap ?? 0 }, user(0), password)
    const session = new Session(`session ${at + 1}`, client, new Random(drill.seed + at))
    await session.select()
    sessions.push(session)
  }
  drill.say('changing')
  const end = performance.now() + drill.count * 1000
  await Promise.all(
    sessions.map(async session => {
      while (performance.now() < end) await session.step()
    }),
  )
  const truth = await freshView()
  if (drill.fault === 'flag') truth[0] = `${truth[0]}!`
  for (const session of sessions) {
    const belief = await session.belief()
    for (let at = 0; at < Math.max(belief.length, truth.length); at++) {
      if (belief[at] !== truth[at])
        drill.violation(`${session.name} believes ${belief[at]}, and it is ${truth[at]}`)
    }
    await session.logout()
  }
  drill.figure('commands', counts.changes)
  drill.figure('numbers that were checked against their UID and Message-ID', counts.checks)
  drill.figure('expunges that were told', counts.expunges)
  drill.figure('messages at the end', truth.length)
}

/** What a session that begins now is shown, on another node than the first. */
async function freshView(): Promise<string[]> {
  const client = await ImapClient.login({ port: site.nodes[2]?.ports.imap ?? 0 }, user(0), password)
  const fresh = new Session('fresh', client, new Random(1))
  await fresh.select()
  const view = await fresh.belief()
  await fresh.logout()
  return view
}
