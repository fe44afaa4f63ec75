// DELETE. RFC 9051 §6.3.5. Mailboxes below stay.
import { rightBits } from '../../store/rights.ts'
import { command } from '../command.ts'
import { deselect } from '../deselect.ts'
import { no } from '../error.ts'
import { getVisible, isSameMailbox, mutateMailbox } from '../mailbox-access.ts'
import { mailboxName } from './arguments.ts'

export const deleteMailbox = command({
  name: 'DELETE',
  state: 'authenticated',
  reportsProgress: true,
  parse(parser, context) {
    parser.sp()
    return mailboxName(parser, context)
  },
  async run(session, name) {
    const { state } = session
    const row = await getVisible(session, name, 'DELETE')
    if (row.ownName === 'INBOX') throw no('CANNOT', "INBOX can't be deleted")
    await mutateMailbox(session, [{ mailbox: row, rights: rightBits.x }], 'deleteMailbox', {
      account: row.account,
      mailbox: row.id,
    })
    session.notifications?.ignoreName(row.name)
    if (state.kind === 'selected' && isSameMailbox(state.view.mailbox, row)) await deselect(session)
  },
})
