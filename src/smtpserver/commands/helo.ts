// HELO. RFC 5321 §4.1.1.1.
import { command } from '../command.ts'
import { parseClientName } from './ehlo.ts'

export const helo = command({
  name: 'HELO',
  services: ['smtp', 'submission'],
  states: ['connected', 'idle', 'mail', 'chunking'],
  parse: parseClientName,
  run(session, name) {
    session.greet({ helo: name, protocol: 'smtp' })
    return { code: 250, text: session.context.hostname }
  },
})
