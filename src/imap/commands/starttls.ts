// STARTTLS. RFC 9051 §6.2.1. What came in the clear behind it is dropped by the connection (CVE-2011-0411).
import { command } from '../command.ts'
import { bad, no } from '../error.ts'
import { noArguments } from './arguments.ts'

export const starttls = command({
  name: 'STARTTLS',
  state: 'notAuthenticated',
  parse: noArguments,
  run(session) {
    const { connection, context } = session
    if (connection.secure) throw bad('TLS is on already')
    const { tls } = context
    if (!tls) throw no('CANNOT', 'This server has no certificate')
    return {
      text: 'Begin TLS now',
      afterwards: () => {
        // What was switched on in the clear is forgotten (RFC 9051 §6.2.1).
        session.switchOff()
        // RFC 5255 §3.1: the client asks for its language anew.
        session.language = 'i-default'
        return connection.startTls(tls)
      },
    }
  },
})
