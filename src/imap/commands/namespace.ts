// NAMESPACE. RFC 2342; RFC 9051 §6.3.10.
import { command } from '../command.ts'
import { otherUsers, sharedNamespace } from '../mailbox-access.ts'
import { noArguments } from './arguments.ts'

export const namespace = command({
  name: 'NAMESPACE',
  state: 'authenticated',
  parse: noArguments,
  run(session) {
    const others = [otherUsers, sharedNamespace].map(({ prefix }) => `(("${prefix}" "/"))`)
    session.out.line(`* NAMESPACE (("" "/")) ${others.join(' ')}`)
  },
})
