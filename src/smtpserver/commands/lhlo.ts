// LHLO. RFC 2033 §4.1.
import { command } from '../command.ts'
import { announce } from '../extensions.ts'
import { parseClientName } from './ehlo.ts'

export const lhlo = command({
  name: 'LHLO',
  services: ['lmtp'],
  states: ['connected', 'idle', 'mail', 'chunking'],
  parse: parseClientName,
  run(session, helo) {
    session.greet({ helo, protocol: 'lmtp' })
    return { code: 250, text: [session.context.hostname, ...announce(session)] }
  },
})
