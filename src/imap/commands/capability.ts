// CAPABILITY. RFC 9051 §6.1.1.
import { announcedCapabilities } from '../capabilities.ts'
import { command } from '../command.ts'
import { noArguments } from './arguments.ts'

export const capability = command({
  name: 'CAPABILITY',
  state: 'any',
  parse: noArguments,
  run(session) {
    session.out.line(`* CAPABILITY ${announcedCapabilities(session)}`)
  },
})
