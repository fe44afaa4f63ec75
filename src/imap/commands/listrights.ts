// LISTRIGHTS. RFC 4314 §3.4, §3.7. No rights are tied to one another.
import { getGrantee, grantable, parseSubject } from '../acl.ts'
import { command } from '../command.ts'
import { getVisible } from '../mailbox-access.ts'
import { formatRights } from '../../store/rights.ts'

export const listRights = command({
  name: 'LISTRIGHTS',
  state: 'authenticated',
  parse: parseSubject,
  async run(session, { name, identifier }) {
    const mailbox = await getVisible(session, name, 'LISTRIGHTS')
    const grantee = await getGrantee(session, identifier)
    const { always, optional } = grantable(session, mailbox, grantee, identifier)
    const { out } = session
    out.ascii('* LISTRIGHTS ')
    session.writeMailbox(mailbox.name)
    // §3.4: the identifier in the form that the client has used.
    out.byte(0x20).astring(identifier.text, session.usesUtf8Names).byte(0x20).astring(formatRights(always))
    for (const letter of formatRights(optional)) out.byte(0x20).ascii(letter)
    out.crlf()
  },
})
