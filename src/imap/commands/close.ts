// CLOSE: expunges without saying so, then leaves the mailbox. RFC 9051 §6.4.1; RFC 7162 §3.2.8.
import { command } from '../command.ts'
import { deselect } from '../deselect.ts'
import { noArguments } from './arguments.ts'

export const close = command({
  name: 'CLOSE',
  state: 'selected',
  parse: noArguments,
  async run(session) {
    const { view } = session
    const { account, id: mailbox } = view.mailbox
    if (!view.isReadOnly)
      await session.store.mutate('expungeMessages', { account, mailbox, onlyDeleted: true })
    await deselect(session)
  },
})
