// What LOGIN and AUTHENTICATE share: from not authenticated to authenticated. RFC 9051 §6.2.
import type { Identity } from '../../account/identity.ts'
import { announcedCapabilities } from '../capabilities.ts'
import type { Completion } from '../command.ts'
import type { Session } from '../session.ts'

/** Enters the authenticated state; the tagged OK carries what the server can do now (RFC 9051 §6.2.2). Throws `LoginError`. */
export function logIn(session: Session, identity: Identity): Completion {
  session.leave = session.context.login.sessions.open(identity, session.connection)
  session.state = { kind: 'authenticated', identity }
  session.context.metrics.count('imap_logins')
  session.context.log.info(
    { connection: session.connection.id, account: identity.address, peer: session.connection.remoteAddress },
    'logged in over IMAP',
  )
  return { code: `CAPABILITY ${announcedCapabilities(session)}`, text: 'Welcome' }
}
