// USER. RFC 1939 §7; RFC 6856 §2.2 (names in UTF-8).
import { command } from '../command.ts'
import { bad, Pop3Error } from '../error.ts'

export const user = command({
  name: 'USER',
  state: 'authorization',
  parse(args) {
    if (args === undefined || args.length === 0) throw bad(texts => texts.syntax)
    return args
  },
  run(session, name) {
    // RFC 1939 §7 lets a server refuse here where no password in the clear is allowed: before the client shows it.
    if (!session.context.login.mayReveal(session.peer)) {
      throw new Pop3Error(texts => texts.tlsFirst)
    }
    // Never says whether there is such a name (RFC 1939 §13). Copied: the line is a view of the input.
    session.state = { kind: 'authorization', user: Buffer.from(name) }
    session.ok(texts => texts.sendPassword)
  },
})
