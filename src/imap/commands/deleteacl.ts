// DELETEACL. RFC 4314 §3.2.
import { getGrantee, parseSubject } from '../acl.ts'
import { command } from '../command.ts'
import { no } from '../error.ts'
import { getVisible, mutateMailbox } from '../mailbox-access.ts'
import { rightBits } from '../../store/rights.ts'

export const deleteAcl = command({
  name: 'DELETEACL',
  state: 'authenticated',
  parse: parseSubject,
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
