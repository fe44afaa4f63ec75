// AUTHENTICATE. RFC 9051 §6.2.2; initial responses of RFC 4959.
import { authenticate as exchange } from '../../account/authenticate.ts'
import { LoginError } from '../../account/login-error.ts'
import { limits } from '../../base/limits.ts'
import { readInitialResponse, readResponse, type SaslResponse } from '../../sasl/base64-response.ts'
import { command } from '../command.ts'
import type { Session } from '../session.ts'
import { logIn } from './log-in.ts'

export const authenticate = command({
  name: 'AUTHENTICATE',
  state: 'notAuthenticated',
  parse(parser) {
    parser.sp()
    const mechanism = parser.keyword()
    const initial = parser.moreAfterSpace() ? parser.rest().toString('latin1') : undefined
    return { mechanism, initial }
  },
  async run(session, { mechanism, initial }) {
    const response = initial === undefined ? undefined : dataOf(readInitialResponse(initial))
    const { login } = session.context
    const identity = await exchange(login, session.peer, mechanism, response, challenge =>
      ask(session, challenge),
    )
    return logIn(session, identity)
  },
})

/** Sends a challenge and waits for the client's answer. */
async function ask(session: Session, challenge: Buffer): Promise<Buffer> {
  session.out.line(`+ ${challenge.toString('base64')}`).send()
  const line = await session.connection.readLine(limits.imap.lineBeforeLoginBytes)
  if (line === undefined) throw new LoginError('cancelled', 'the connection ended')
  return dataOf(readResponse(line))
}

function dataOf(response: SaslResponse): Buffer {
  if (response.kind === 'response') return response.data
  throw new LoginError(response.kind, response.kind === 'cancelled' ? 'the client gave up' : 'not base64')
}
