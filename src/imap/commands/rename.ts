// RENAME. RFC 9051 §6.3.6. Those below move along; of INBOX the messages move and the mailbox stays.
import { rightBits } from '../../store/rights.ts'
import { command } from '../command.ts'
import { no } from '../error.ts'
import { getPlace, getVisible, type MailboxNeed, mutateMailbox } from '../mailbox-access.ts'
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
    const source = await getVisible(session, from, 'RENAME')
    const { account, ownName, parent } = await getPlace(session, to, 'RENAME')
    if (account !== source.account) throw no('CANNOT', "A mailbox can't be given to another account")
    // Of an INBOX the messages move, which are not a guest's to move so.
    if (source.ownName === 'INBOX' && account !== session.account)
      throw no('CANNOT', "The INBOX of another can't be renamed")
    const needs: MailboxNeed[] = [{ mailbox: source, rights: rightBits.x, name: source.ownName }]
    if (parent) needs.push({ mailbox: parent, rights: rightBits.k, name: parent.name })
    await mutateMailbox(session, needs, 'renameMailbox', { account, from: source.ownName, to: ownName })
    session.notifications?.ignoreName(from, to)
  },
})
