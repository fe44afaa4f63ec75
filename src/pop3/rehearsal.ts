// A session that nobody hears, held when a thread has begun to serve, so that the first clients find code that has run. RFC 1939 §5, §7.
//
// It only reads, of a mailbox that is small: it takes no lock, and ends without QUIT, so nothing is removed and nothing becomes \Seen. Others run between its
// commands.
import { findStage, holdSession } from '../account/rehearsal.ts'
import { silentLog } from '../base/log.ts'
import { silentMetrics } from '../base/metrics.ts'
import type { Maildrop } from './maildrop.ts'
import { readMaildrop } from './open-maildrop.ts'
import { servePop3 } from './serve.ts'
import type { Pop3Context } from './session.ts'

/** After so many V8 has compiled most of what RETR runs: after fewer the first hundred cost half as much again, after more they cost the same. */
const rounds = 16
/** Messages that are retrieved in each. */
const retrieved = 16
/** They are no larger. */
const smallBytes = 64 * 1024

/** Holds the session after a `pause`, for as long as nobody has come; the commands that were refused, which should be none. Nothing to do in a store without mailboxes. */
export async function rehearsePop3(
  context: Pop3Context,
  isAlone: () => boolean,
  pause: () => Promise<void> = async () => {},
): Promise<readonly string[]> {
  await pause()
  const stage = await findStage(context.store.reader)
  if (!stage) return []
  const { identity, mailbox } = stage
  const maildrop = await readMaildrop(context.store, identity.account, mailbox)
  const quiet = { ...context, log: silentLog, metrics: silentMetrics }
  const state = { kind: 'transaction', identity, maildrop, release: async () => {} } as const
  const script = { commands: commandsFor(maildrop), rounds, outcomeOf }
  return holdSession(connection => servePop3(connection, quiet, state), script, isAlone)
}

function commandsFor(maildrop: Maildrop): readonly string[] {
  const positions = Array.from({ length: maildrop.total }, (_unused, position) => position)
  const small = positions.filter(position => maildrop.sizeAt(position) <= smallBytes).slice(0, retrieved)
  const reading = small.flatMap(position => [`RETR ${position + 1}`, `TOP ${position + 1} 10`])
  return ['STAT', 'LIST', 'UIDL', ...reading, 'NOOP']
}

/** The commands whose good answers have many lines, as they are said here (RFC 1939 §3). */
const manyLines = /^(?:LIST|UIDL|RETR|TOP)\b/

function outcomeOf(command: string, tail: string): boolean | undefined {
  if (/^-ERR [^\n]*\n$/.test(tail)) return false
  return tail.endsWith(manyLines.test(command) ? '\r\n.\r\n' : '\r\n') || undefined
}
