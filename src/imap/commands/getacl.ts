// GETACL. RFC 4314 §3.3, §3.6.
import { ownerAddress } from '../acl.ts'
import { command } from '../command.ts'
import { getVisible } from '../mailbox-access.ts'
import { listAcl } from '../../store/read/acl.ts'
import { allRights, formatRights } from '../../store/rights.ts'
import { mailboxName } from './arguments.ts'

export const getAcl = command({
  name: 'GETACL',
  state: 'authenticated',
  parse(parser, context) {
    parser.sp()
    return mailboxName(parser, context)
  },
  async run(session, name) {
    const mailbox = await getVisible(session, name, 'GETACL')
    const entries = await listAcl(session.store.reader, mailbox.account, mailbox.id)
    const { out } = session
    out.ascii('* ACL ')
    session.writeMailbox(mailbox.name)
    const write = (identifier: string, rights: number) =>
      out.byte(0x20).astring(identifier, session.usesUtf8Names).byte(0x20).astring(formatRights(rights))
    write(await ownerAddress(session, mailbox), allRights)
    for (const { address = 'anyone', isNegative, rights } of entries)
      write(isNegative ? `-${address}` : address, rights)
    out.crlf()
  },
})
