// SUBSCRIBE. RFC 9051 §6.3.7.
import { command } from '../command.ts'
import { mailboxName } from './arguments.ts'

export const subscribe = command({
  name: 'SUBSCRIBE',
  state: 'authenticated',
  parse(parser, context) {
    parser.sp()
    return mailboxName(parser, context)
  },
  async run(session, name) {
    await session.store.mutate('setSubscription', { account: session.account, name, subscribed: true })
    session.notifications?.ignoreName(name)
  },
})
