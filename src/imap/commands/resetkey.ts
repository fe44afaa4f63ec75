// RESETKEY: takes all authorised URLs of a mailbox, or of all, back. RFC 4467 §6, from knowledge of it.
import { command } from '../command.ts'
import { no } from '../error.ts'
import { getVisible } from '../mailbox-access.ts'
import { mailboxName } from './arguments.ts'

export const resetKey = command({
  name: 'RESETKEY',
  state: 'authenticated',
  parse(parser, context) {
    if (!parser.moreAfterSpace()) return { name: undefined, isForInternal: true }
    const name = mailboxName(parser, context)
    const mechanisms: string[] = []
    while (parser.moreAfterSpace()) mechanisms.push(parser.keyword())
    return { name, isForInternal: mechanisms.length === 0 || mechanisms.includes('INTERNAL') }
  },
  async run(session, { name, isForInternal }) {
    const { account, store } = session
    const mailbox = name === undefined ? undefined : await getVisible(session, name, 'RESETKEY')
    if (!isForInternal) throw no('CANNOT', 'INTERNAL is the only mechanism there is')
    await store.mutate('resetUrlKeys', {
      account,
      ...(mailbox && { mailbox: { account: mailbox.account, id: mailbox.id } }),
    })
    return { code: 'URLMECH INTERNAL', text: 'The URLs given out so far are void' }
  },
})
