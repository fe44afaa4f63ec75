// DELETEACL. RFC 4314 §3.2.
import { getGrantee, parseIdentifier } from '../acl.ts'
import { command } from '../command.ts'
import { no } from '../error.ts'
import { getVisible, mutateMailbox } from '../mailbox-access.ts'
import { rightBits } from '../../store/rights.ts'
import { mailboxName } from './arguments.ts'

export const deleteAcl = command({
  name: 'DELETEACL',
  state: 'authenticated',
  parse(parser, context) {
    parser.sp()
    const name = mailboxName(parser, context)
    parser.sp()
    return { name, identifier: parseIdentifier(parser) }
  },
  async run(session, { name, identifier }) {
    const mailbox = await getVisible(session, name, 'DELETEACL')
    const grantee = await getGrantee(session, identifier)
    if (grantee === mailbox.account) throw no('CANNOT', 'The owner keeps all rights')
    await mutateMailbox(session, [{ mailbox, rights: rightBits.a }], 'setRights', {
      account: mailbox.account,
      mailbox: mailbox.id,
      grantee,
      isNegative: identifier.isNegative,
      mode: 'replace',
      rights: 0,
    })
  },
})
