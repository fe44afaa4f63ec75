// DELETE. RFC 9051 §6.3.5. Mailboxes below stay.
import { findMailbox } from '../../store/read/mailboxes.ts'
import { command } from '../command.ts'
import { deselect } from '../deselect.ts'
import { no } from '../error.ts'
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
    const { account, store } = session
    const row = await findMailbox(store.reader, account, name)
    if (!row) throw no('NONEXISTENT', 'There is no such mailbox')
    if (row.name === 'INBOX') throw no('CANNOT', "INBOX can't be deleted")
    await store.mutate('deleteMailbox', { account, mailbox: row.id })
    session.notifications?.ignoreName(row.name)
    if (session.state.kind === 'selected' && session.state.view.mailbox.id === row.id) await deselect(session)
  },
})
