// UNSUBSCRIBE. RFC 9051 §6.3.8.
import { command } from '../command.ts'
import { mailboxName } from './arguments.ts'

export const unsubscribe = command({
  name: 'UNSUBSCRIBE',
  state: 'authenticated',
  parse(parser, context) {
    parser.sp()
    return mailboxName(parser, context)
  },
  async run(session, name) {
    await session.store.mutate('setSubscription', { account: session.account, name, subscribed: false })
    session.notifications?.ignoreName(name)
  },
})
