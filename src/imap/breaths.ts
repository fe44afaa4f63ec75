// How a command that is about many messages lets others run.
import type { Awaitable } from '../base/awaitable.ts'
import type { Breathe } from '../base/breathe.ts'
import { ConnectionError } from '../net/connection-error.ts'
import type { Session } from './session.ts'

/** Lets others run now and then; a client that is gone needs no answer. */
export function breatheIn({ connection }: Session): Awaitable<void> {
  if (connection.isClosed)
    throw new ConnectionError('ConnectionClosed', 'the client has gone during a long command')
  return connection.breathe()
}

/** The same while much is written: a client who reads slowly is waited for. */
export function breatheWriting(session: Session): Awaitable<void> {
  const drained = session.out.drainIfBehind()
  return drained === undefined ? breatheIn(session) : drained
}

/** Has `write` write a line as long as a mailbox is large: as it breathes, a client who reads slowly is waited for, and nothing else is said in between. */
export async function writeInPieces(
  session: Session,
  write: (breathe: Breathe) => Promise<void>,
): Promise<void> {
  session.isMidLine = true
  try {
    await write(() => breatheWriting(session))
  } finally {
    session.isMidLine = false
  }
}
