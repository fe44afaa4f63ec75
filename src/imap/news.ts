// What a client is told without asking: changes of the selected mailbox, and of annotations. RFC 9051 §5.2; RFC 5464 §4.4; RFC 2180 §3.3.
import { StoreError } from '../store/error.ts'
import { ImapError } from './error.ts'
import type { Session } from './session.ts'
import { syncStyle } from './sync-style.ts'

/** Tells all that is new. A selected mailbox that is gone ends the session (RFC 2180 §3.3). */
export async function tellNews(session: Session, mayExpunge: boolean): Promise<void> {
  await tellSelected(session, mayExpunge)
  await session.metadataNews?.tell(name => session.has(name === null ? 'METADATA-SERVER' : 'METADATA'))
}

async function tellSelected(session: Session, mayExpunge: boolean): Promise<void> {
  if (session.state.kind !== 'selected') return
  try {
    await session.state.view.sync(session.out, syncStyle(session), mayExpunge)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'no-such-mailbox') {
      throw new ImapError('BYE', undefined, 'The selected mailbox was deleted')
    }
    throw error
  }
}
