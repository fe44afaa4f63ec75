// A session that nobody hears, held when a thread has begun to serve. RFC 9051 §7.1.4.
//
// Code that has run before takes a fraction of the time; else the first clients after a start would wait for it. The session only reads, of a mailbox that
// is small, and others run between its commands.
import type { Identity } from '../account/identity.ts'
import { findStage, holdSession } from '../account/rehearsal.ts'
import { silentLog } from '../base/log.ts'
import { silentMetrics } from '../base/metrics.ts'
import { encodeMailboxName } from './mailbox-name.ts'
import { messagesPerChunk } from '../store/snapshots/message-chunk.ts'
import { withMadeUpMailbox } from './rehearsal-mailbox.ts'
import { serveImap } from './serve.ts'
import type { ImapContext } from './session.ts'

/** So many that the mailbox is kept packed, in two chunks. */
const packedMessages = 1.5 * messagesPerChunk
/** So many that loops over them are worth compiling. */
const manyMessages = 4 * messagesPerChunk

/** After so many V8 has learnt what it needs of a function. */
const rounds = 4

/**
 * Holds the sessions to their end; the commands that were refused, which should be none. Nothing to do in a store without mailboxes. What takes longer comes
 * after a `pause`, and is left out where somebody has come: `isAlone` says so.
 */
export async function rehearseImap(
  context: ImapContext,
  isAlone: () => boolean,
  pause: () => Promise<void> = async () => {},
): Promise<readonly string[]> {
  const stage = await findStage(context.store.reader)
  if (!stage) return []
  const { identity, mailbox } = stage
  const name = `"${encodeMailboxName(stage.name, false).replace(/["\\]/g, '\\$&')}"`
  const quiet = { ...context, log: silentLog, metrics: silentMetrics }
  const inMadeUp = (messages: number, commands: readonly string[], goesOn: () => boolean) => {
    const store = withMadeUpMailbox(context.store, identity.account, mailbox, messages)
    return runSession({ ...quiet, store }, identity, commands, goesOn)
  }
  const refused = [
    ...(await runSession(quiet, identity, beginning(name), () => true)),
    ...(await inMadeUp(packedMessages, opening(name), () => true)),
  ]
  await pause()
  if (!isAlone()) return refused
  return [...refused, ...(await inMadeUp(manyMessages, searches(name), isAlone))]
}

function runSession(
  context: ImapContext,
  identity: Identity,
  commands: readonly string[],
  goesOn: () => boolean,
): Promise<readonly string[]> {
  const script = { commands: commands.map(tagged), rounds, farewell: tagged('LOGOUT'), outcomeOf }
  return holdSession(connection => serveImap(connection, context, identity), script, goesOn)
}

/** One tag for every command: there is one at a time. */
const tag = 'r'

function tagged(command: string): string {
  return `${tag} ${command}`
}

/** All that is written in a turn comes together, the tagged line at its end. */
function outcomeOf(_command: string, tail: string): boolean | undefined {
  const line = tail.slice(tail.lastIndexOf('\n', tail.length - 2) + 1)
  return line.startsWith(`${tag} `) && line.endsWith('\r\n') ? line.startsWith(`${tag} OK`) : undefined
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

/** What opens a large mailbox, in one that is made up. */
function opening(name: string): readonly string[] {
  return [`EXAMINE ${name}`, 'UID FETCH * (UID FLAGS)']
}

/** What goes through a whole mailbox, in one that is made up. */
function searches(name: string): readonly string[] {
  return [
    `EXAMINE ${name}`,
    'UID SEARCH UNSEEN',
    'UID SEARCH SENTSINCE 3-Jan-2001',
    // Two columns of rows and no more: `withMadeUpMailbox` has no others.
    'UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)',
  ]
}
