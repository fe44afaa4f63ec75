// A line as long as a mailbox is large: while it is written others run, and a client who reads slowly is waited for.
import type { Breathe } from '../base/breathe.ts'
import { breatheIn } from './search/evaluate.ts'
import type { Session } from './session.ts'

/** Has `write` write one line, or several, in which it breathes; nothing else is said in between. */
export async function writeInPieces(
  session: Session,
  write: (breathe: Breathe) => Promise<void>,
): Promise<void> {
  session.isMidLine = true
  try {
    await write(() => {
      const drained = session.connection.drain()
      return drained === undefined ? breatheIn(session) : drained
    })
  } finally {
    session.isMidLine = false
  }
}
