// NAMESPACE. RFC 2342; RFC 9051 §6.3.10.
import { command } from '../command.ts'
import { noArguments } from './arguments.ts'

export const namespace = command({
  name: 'NAMESPACE',
  state: 'authenticated',
  parse: noArguments,
  run(session) {
    session.out.line('* NAMESPACE (("" "/")) NIL NIL')
  },
})
