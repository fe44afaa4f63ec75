// A session that nobody hears, held when a thread has begun to serve. RFC 9051 §7.1.4.
//
// Code that has run before takes a fraction of the time; else the first clients after a start would wait for it. The session only reads, of a mailbox that
// is small, and others run between its commands.
import type { Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { setImmediate as othersRun } from 'node:timers/promises'
import type { Identity } from '../account/identity.ts'
import type { MailboxId } from '../base/ids.ts'
import { silentLog } from '../base/log.ts'
import { silentMetrics } from '../base/metrics.ts'
import { Connection } from '../net/connection.ts'
import { Deadlines } from '../net/deadlines.ts'
import { listAccounts } from '../store/read/account.ts'
import { listMailboxes } from '../store/read/mailboxes.ts'
import { encodeMailboxName } from './mailbox-name.ts'
import { withMadeUpMailbox } from './rehearsal-mailbox.ts'
import { serveImap } from './serve.ts'
import type { ImapContext } from './session.ts'

/** A mailbox of so many messages is read in no time. */
const fewMessages = 1000
/** Accounts that are looked at for a mailbox with mail. */
const fewAccounts = 8
/** After so many V8 has learnt what it needs of a function. */
const rounds = 4

interface Stage {
  readonly identity: Identity
  readonly id: MailboxId
  readonly mailbox: string
}

/**
 * Holds the sessions to their end; the commands that were refused, which should be none. Nothing to do in a store without mailboxes. What takes longer is
 * left out where somebody has come: `isAlone` says so.
 */
export async function rehearseImap(context: ImapContext, isAlone: () => boolean): Promise<readonly string[]> {
  const stage = await findStage(context)
  if (!stage) return []
  const { identity } = stage
  const name = `"${encodeMailboxName(stage.mailbox, false).replace(/["\\]/g, '\\$&')}"`
  const quiet = { ...context, log: silentLog, metrics: silentMetrics }
  const refused = await runSession(quiet, identity, beginning(name), () => true)
  if (!isAlone()) return refused
  const store = withMadeUpMailbox(context.store, identity.account, stage.id)
  return [...refused, ...(await runSession({ ...quiet, store }, identity, searches(name), isAlone))]
}

async function runSession(
  context: ImapContext,
  identity: Identity,
  commands: readonly string[],
  goesOn: () => boolean,
): Promise<string[]> {
  const [near, far] = duplexPair()
  // Of a socket only STARTTLS asks more than of any stream.
  const connection = new Connection(near as Socket, { deadlines: new Deadlines(), endpoints: nowhere })
  const served = serveImap(connection, context, identity)
  const client = new RehearsalClient(far)
  const refused: string[] = []
  for (const command of Array.from({ length: rounds }, () => commands).flat()) {
    if (!goesOn()) break
    if (!(await client.ask(command))) refused.push(command)
    await othersRun()
  }
  if (!(await client.ask('LOGOUT'))) refused.push('LOGOUT')
  far.end()
  await served
  return refused
}

/** What mail programs begin with, in a mailbox that is there. */
function beginning(name: string): readonly string[] {
  return [
    'LIST "" "*"',
    `STATUS ${name} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)`,
    // Not SELECT: whoever comes first is to see what is \Recent (RFC 3501 §2.3.2).
    `EXAMINE ${name}`,
    'UID FETCH * (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)',
    'UID FETCH * (BODY.PEEK[])',
    'UID SEARCH UNSEEN',
    'NOOP',
    'CLOSE',
  ]
}

/** What goes through a whole mailbox, in one that is made up. */
function searches(name: string): readonly string[] {
  return [`EXAMINE ${name}`, 'UID SEARCH UNSEEN', 'UID SEARCH SENTSINCE 3-Jan-2001']
}

const nowhere = { remoteAddress: '', remotePort: 0, localAddress: '', localPort: 0 }

/** A person with a small mailbox, with mail in it where there is one. */
async function findStage({ store }: ImapContext): Promise<Stage | undefined> {
  let found: Stage | undefined
  for (const { id, address, state, kind } of await listAccounts(store.reader, '', fewAccounts)) {
    if (state !== 'active' || kind !== 'person') continue
    const identity = { account: id, address, isAdmin: false, scopes: [] }
    for (const { id: mailbox, name, total } of await listMailboxes(store.reader, id)) {
      if (total > fewMessages) continue
      found = { identity, id: mailbox, mailbox: name }
      if (total > 0) return found
    }
  }
  return found
}

/** Its tag for every command: it has one at a time. */
const tag = 'r'

class RehearsalClient {
  readonly #stream: Duplex
  #tail = ''
  #answered: ((isOk: boolean) => void) | undefined

  constructor(stream: Duplex) {
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => this.#hear(chunk))
    stream.on('close', () => this.#answered?.(false))
  }

  /** Whether it was answered with OK. */
  ask(command: string): Promise<boolean> {
    this.#tail = ''
    return new Promise(resolve => {
      this.#answered = resolve
      this.#stream.write(`${tag} ${command}\r\n`)
    })
  }

  /** All that is written in a turn comes together, the tagged line at its end. */
  #hear(chunk: Buffer): void {
    this.#tail = (this.#tail + chunk.toString('latin1')).slice(-1000)
    const line = this.#tail.slice(this.#tail.lastIndexOf('\n', this.#tail.length - 2) + 1)
    if (line.startsWith(`${tag} `) && line.endsWith('\r\n')) this.#answered?.(line.startsWith(`${tag} OK`))
  }
}
