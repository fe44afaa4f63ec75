// UNAUTHENTICATE: back to the state before log-in, on the same connection. RFC 8437.
import { command } from '../command.ts'
import { deselect } from '../deselect.ts'
import { bye } from '../error.ts'
import { noArguments } from './arguments.ts'

export const unauthenticate = command({
  name: 'UNAUTHENTICATE',
  state: 'authenticated',
  parse: noArguments,
  async run(session) {
    // RFC 8437 §3: NO is not permitted; where the state can't be reset (§4.1: both sides would leave the compression layer in mid-stream) it is BYE.
    if (session.isCompressed) throw bye('Open a new connection: this one is compressed')
    await deselect(session)
    session.forget()
    session.connection.setDeadline(session.context.config.imap.loginTimeoutMs)
    return { text: 'Log in anew' }
  },
})
