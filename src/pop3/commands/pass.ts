// PASS. RFC 1939 §7: spaces are part of the password.
import { command } from '../command.ts'
import { bad } from '../error.ts'
import { openMaildrop } from '../open-maildrop.ts'

export const pass = command({
  name: 'PASS',
  state: 'authorization',
  parse(args) {
    if (args === undefined || args.length === 0) throw bad(texts => texts.syntax)
    return args
  },
  async run(session, password) {
    const { state, context, peer } = session
    if (state.kind !== 'authorization' || state.user === undefined) throw bad(texts => texts.userFirst)
    const name = state.user
    const secret = Buffer.from(password)
    await openMaildrop(session, () => context.login.password(peer, name, secret))
  },
})
