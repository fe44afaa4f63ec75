// LOGIN. RFC 9051 §6.2.3.
import { command } from '../command.ts'
import { no } from '../error.ts'
import { isLoginDisabled } from '../capabilities.ts'
import { logIn } from './log-in.ts'

export const login = command({
  name: 'LOGIN',
  state: 'notAuthenticated',
  parse(parser) {
    parser.sp()
    const name = parser.astring()
    parser.sp()
    // A password in another charset than UTF-8 is still a password.
    const password = Buffer.from(parser.astringBytes())
    return { name, password }
  },
  async run(session, { name, password }) {
    if (isLoginDisabled(session)) throw no('PRIVACYREQUIRED', 'Use STARTTLS first')
    return logIn(session, await session.context.login.password(session.peer, name, password))
  },
})
