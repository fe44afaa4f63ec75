// GETQUOTAROOT. RFC 9208 §4.1.2, from knowledge of it.
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
    const { identity, out } = session
    const mailbox = await getVisible(session, name)
    const root = await findRoot(session, identity.address)
    out.ascii('* QUOTAROOT ')
    session.writeMailbox(mailbox.name)
    out.byte(0x20).astring(root.address).crlf()
    await writeQuota(session, root)
  },
})
