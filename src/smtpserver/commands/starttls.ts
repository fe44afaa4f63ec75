// STARTTLS. RFC 3207.
import { SmtpRefusal } from '../../smtp/reply.ts'
import { encodeReply } from '../../smtp/reply.ts'
import { command, everyService } from '../command.ts'
import { parseNothing } from './rset.ts'

export const starttls = command({
  name: 'STARTTLS',
  services: everyService,
  states: ['idle'],
  parse: parseNothing,
  async run(session) {
    const { connection, context } = session
    if (connection.secure) throw new SmtpRefusal(503, '5.5.1', 'TLS is on already')
    if (!context.tls) throw new SmtpRefusal(502, '5.5.1', 'TLS is not available')
    connection.write(encodeReply({ code: 220, status: '2.0.0', text: 'Go ahead' }))
    // Bytes that were pipelined behind STARTTLS are dropped by the connection (CVE-2011-0411, CVE-2021-38542).
    await connection.startTls(context.tls)
    // RFC 3207 §4.2: all that was learnt before is forgotten.
    session.enter({ state: 'connected' })
    return undefined
  },
})
