// MYRIGHTS. RFC 4314 §3.5, §3.8; as a return option of LIST RFC 8440.
import { command } from '../command.ts'
import { getVisible, type VisibleMailbox } from '../mailbox-access.ts'
import type { Session } from '../session.ts'
import { formatRights } from '../../store/rights.ts'
import { mailboxName } from './arguments.ts'

export const myRights = command({
  name: 'MYRIGHTS',
  state: 'authenticated',
  parse(parser, context) {
    parser.sp()
    return mailboxName(parser, context)
  },
  async run(session, name) {
    writeMyRights(session, await getVisible(session, name, 'MYRIGHTS'))
  },
})

export function writeMyRights(session: Session, { name, rights }: VisibleMailbox): void {
  session.out.ascii('* MYRIGHTS ')
  session.writeMailbox(name)
  session.out.byte(0x20).astring(formatRights(rights)).crlf()
}
