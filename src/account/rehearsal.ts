// What the rehearsals of the protocols share: where they are held, and a client for a session that nobody hears.
import type { Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { setImmediate as othersRun } from 'node:timers/promises'
import type { MailboxId } from '../base/ids.ts'
import { Connection } from '../net/connection.ts'
import { Deadlines } from '../net/deadlines.ts'
import { listAccounts } from '../store/read/account.ts'
import { listMailboxes } from '../store/read/mailboxes.ts'
import type { Reader } from '../store/store.ts'
import type { Identity } from './identity.ts'

/** A mailbox of so many messages is read in no time. */
const fewMessages = 1000
/** Accounts that are looked at for a mailbox with mail. */
const fewAccounts = 8

export interface Stage {
  readonly identity: Identity
  readonly mailbox: MailboxId
  /** The mailbox's. */
  readonly name: string
}

/** A person with a small mailbox, with mail in it where there is one. */
export async function findStage(reader: Reader): Promise<Stage | undefined> {
  let found: Stage | undefined
  for (const { id, address, state, kind } of await listAccounts(reader, '', fewAccounts)) {
    if (state !== 'active' || kind !== 'person') continue
    const identity = { account: id, address, isAdmin: false, scopes: [] }
    for (const { id: mailbox, name, total } of await listMailboxes(reader, id)) {
      if (total > fewMessages) continue
      found = { identity, mailbox, name }
      if (total > 0) return found
    }
  }
  return found
}

export interface Script {
  readonly commands: readonly string[]
  /** How often they are said. */
  readonly rounds: number
  /** Said in the end; without one the session ends with the connection. */
  readonly farewell?: string
  /** Whether the answer to a command, of which this is the end so far, is a good one; undefined while there is more to come. */
  readonly outcomeOf: (command: string, tail: string) => boolean | undefined
}

/** Holds a session of `serve` to its end, for as long as `goesOn`. Others run between its commands. Gives those that were refused. */
export async function holdSession(
  serve: (connection: Connection) => Promise<void>,
  { commands, rounds, farewell, outcomeOf }: Script,
  goesOn: () => boolean,
): Promise<readonly string[]> {
  const [near, far] = duplexPair()
  // Of a socket only STARTTLS asks more than of any stream.
  const served = serve(new Connection(near as Socket, { deadlines: new Deadlines(), endpoints: nowhere }))
  const client = new RehearsalClient(far, outcomeOf)
  const refused: string[] = []
  const say = async (command: string) => {
    if (!(await client.ask(command))) refused.push(command)
  }
  for (const command of Array.from({ length: rounds }, () => commands).flat()) {
    if (!goesOn()) break
    await say(command)
    await othersRun()
  }
  if (farewell !== undefined) await say(farewell)
  far.end()
  await served
  return refused
}

const nowhere = { remoteAddress: '', remotePort: 0, localAddress: '', localPort: 0 }

/** So much of the end of an answer is looked at. */
const tailLength = 1000

interface Question {
  readonly command: string
  readonly answered: (isGood: boolean) => void
}

class RehearsalClient {
  readonly #stream: Duplex
  readonly #outcomeOf: Script['outcomeOf']
  #tail = ''
  #question: Question | undefined

  constructor(stream: Duplex, outcomeOf: Script['outcomeOf']) {
    this.#stream = stream
    this.#outcomeOf = outcomeOf
    stream.on('data', (chunk: Buffer) => this.#hear(chunk))
    stream.on('end', () => this.#settle(false))
  }

  /** Whether the answer was a good one; a session that has ended gives none. */
  ask(command: string): Promise<boolean> {
    if (this.#stream.readableEnded) return Promise.resolve(false)
    this.#tail = ''
    return new Promise(answered => {
      this.#question = { command, answered }
      this.#stream.write(`${command}\r\n`)
    })
  }

  #hear(chunk: Buffer): void {
    if (!this.#question) return
    this.#tail = (this.#tail + chunk.toString('latin1')).slice(-tailLength)
    const outcome = this.#outcomeOf(this.#question.command, this.#tail)
    if (outcome !== undefined) this.#settle(outcome)
  }

  #settle(isGood: boolean): void {
    const question = this.#question
    this.#question = undefined
    question?.answered(isGood)
  }
}
