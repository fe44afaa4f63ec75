// LOGOUT. RFC 9051 §6.1.3.
import { command } from '../command.ts'
import { deselect } from '../deselect.ts'
import { noArguments } from './arguments.ts'

export const logout = command({
  name: 'LOGOUT',
  state: 'any',
  parse: noArguments,
  async run(session) {
    await deselect(session)
    session.respond('*', 'BYE', undefined, 'Until next time')
    session.state = { kind: 'logout' }
  },
})
