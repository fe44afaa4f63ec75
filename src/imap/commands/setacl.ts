// SETACL. RFC 4314 §3.1.
import { getGrantee, grantable, parseChange, parseSubject } from '../acl.ts'
import { command } from '../command.ts'
import { no } from '../error.ts'
import { getVisible, mutateMailbox } from '../mailbox-access.ts'
import { rightBits } from '../../store/rights.ts'

export const setAcl = command({
  name: 'SETACL',
  state: 'authenticated',
  parse(parser, context) {
    const subject = parseSubject(parser, context)
    parser.sp()
    return { ...subject, change: parseChange(parser) }
  },
  async run(session, { name, identifier, change }) {
    const mailbox = await getVisible(session, name, 'SETACL')
    const grantee = await getGrantee(session, identifier)
    const { always, optional } = grantable(session, mailbox, grantee, identifier)
    const { mode, rights } = change
    if (grantee === mailbox.account) {
      const isKept = mode === 'replace' ? rights === always : mode === 'add' || rights === 0
      if (identifier.isNegative || !isKept) throw no('CANNOT', 'The owner keeps all rights')
      return
    }
    // Taking away is always possible.
    if (mode !== 'remove' && (rights & ~optional) !== 0)
      throw no('NOPERM', 'Only an administrator shares a mailbox with anyone')
    await mutateMailbox(session, [{ mailbox, rights: rightBits.a }], 'setRights', {
      account: mailbox.account,
      mailbox: mailbox.id,
      grantee,
      isNegative: identifier.isNegative,
      mode,
      rights,
    })
  },
})
