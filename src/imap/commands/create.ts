// CREATE. RFC 9051 §6.3.4; USE of RFC 6154 §3; MAILBOXID of RFC 8474 §4.1.
import { command } from '../command.ts'
import { bad, no } from '../error.ts'
import { rightBits } from '../../store/rights.ts'
import { getPlace, mutateMailbox } from '../mailbox-access.ts'
import { mailboxId } from '../object-id.ts'
import { specialUses } from '../special-use.ts'
import { mailboxName } from './arguments.ts'

export const create = command({
  name: 'CREATE',
  state: 'authenticated',
  parse(parser, context) {
    parser.sp()
    const name = mailboxName(parser, context)
    let uses: string[] = []
    if (parser.moreAfterSpace()) {
      parser.list(() => {
        if (parser.keyword() !== 'USE') throw bad('CREATE knows the parameter USE only')
        parser.sp()
        uses = parser.list(() => parser.flag())
      })
    }
    // A separator at the end says that names below will follow (RFC 9051 §6.3.4); nothing is to be done for that.
    return { name: name.endsWith('/') ? name.slice(0, -1) : name, uses }
  },
  async run(session, { name, uses }) {
    if (uses.length > 1) throw no('USEATTR', 'A mailbox can have one use')
    const wanted = uses[0]?.toLowerCase()
    const specialUse =
      wanted === undefined ? undefined : specialUses.find(use => use.toLowerCase() === wanted)
    if (wanted !== undefined && specialUse === undefined)
      throw no('USEATTR', `${uses[0]} is no use that can be given`)
    const { account, ownName, parent } = await getPlace(session, name, 'CREATE')
    // What its owner sends, drafts or throws away is not what a guest does.
    if (parent && specialUse) throw no('USEATTR', "Uses are for one's own mailboxes")
    const needs = parent ? [{ mailbox: parent, rights: rightBits.k, name: parent.name }] : []
    const { mailbox } = await mutateMailbox(session, needs, 'createMailbox', {
      account,
      name: ownName,
      ...(specialUse && { specialUse }),
    })
    session.notifications?.ignoreName(name)
    return { code: `MAILBOXID (${mailboxId(mailbox, parent && account)})` }
  },
})
