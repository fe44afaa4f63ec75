// GETQUOTAROOT. RFC 9208 §4.1.2, from knowledge of it.
import { findAccount } from '../../store/read/account.ts'
import { rightBits } from '../../store/rights.ts'
import { command } from '../command.ts'
import { getVisible } from '../mailbox-access.ts'
import { findRoot, writeQuota } from '../quota.ts'
import { mailboxName } from './arguments.ts'

export const getQuotaRoot = command({
  name: 'GETQUOTAROOT',
  state: 'authenticated',
  parse(parser, context) {
    parser.sp()
    return mailboxName(parser, context)
  },
  async run(session, name) {
    const { account, identity, out, store } = session
    const mailbox = await getVisible(session, name, 'GETQUOTAROOT')
    // The root is the owner's; a guest sees it if he can put something there.
    const root =
      mailbox.account === account
        ? await findRoot(session, identity.address)
        : mailbox.rights & rightBits.i
          ? await findAccount(store.reader, mailbox.account)
          : undefined
    out.ascii('* QUOTAROOT ')
    session.writeMailbox(mailbox.name)
    if (root) out.byte(0x20).astring(root.address)
    out.crlf()
    if (root) await writeQuota(session, root)
  },
})
