// CLOSE: expunges without saying so, then leaves the mailbox. RFC 9051 §6.4.1; RFC 7162 §3.2.8.
import { rightBits } from '../../store/rights.ts'
import { breatheIn } from '../breaths.ts'
import { command } from '../command.ts'
import { deletedRanges } from '../deleted-messages.ts'
import { deselect } from '../deselect.ts'
import { mutateMailbox } from '../mailbox-access.ts'
import { noArguments } from './arguments.ts'

export const close = command({
  name: 'CLOSE',
  state: 'selected',
  parse: noArguments,
  async run(session) {
    const { view } = session
    const { account, id: mailbox } = view.mailbox
    const snapshot = await view.refresh()
    const needs = [{ mailbox: view.mailbox, rights: rightBits.e }]
    // RFC 4314 §4: without the right nothing is expunged, and it is OK.
    if (!view.isReadOnly && view.rights & rightBits.e)
      await mutateMailbox(session, needs, 'expungeMessages', {
        account,
        mailbox,
        onlyDeleted: true,
        uids: await deletedRanges(snapshot, () => breatheIn(session)),
      })
    await deselect(session)
  },
})
