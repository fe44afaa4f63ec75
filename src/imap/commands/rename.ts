// RENAME. RFC 9051 §6.3.6. Those below move along; of INBOX the messages move and the mailbox stays.
import { command } from '../command.ts'
import { placeOf } from '../mailbox-access.ts'
import { mailboxName } from './arguments.ts'

export const rename = command({
  name: 'RENAME',
  state: 'authenticated',
  reportsProgress: true,
  parse(parser, context) {
    parser.sp()
    const from = mailboxName(parser, context)
    parser.sp()
    return { from, to: mailboxName(parser, context) }
  },
  async run(session, { from, to }) {
    const source = placeOf(session, from)
    await session.store.mutate('renameMailbox', {
      account: source.account,
      from: source.ownName,
      to: placeOf(session, to).ownName,
    })
    session.notifications?.ignoreName(from, to)
  },
})
