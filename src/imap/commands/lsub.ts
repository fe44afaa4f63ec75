// LSUB. RFC 3501 §6.3.9 (gone in RFC 9051).
import { listSubscriptions } from '../../store/read/mailboxes.ts'
import { command } from '../command.ts'
import { compilePattern } from '../list-pattern.ts'
import { listVisible } from '../mailbox-access.ts'
import { decodeMailboxName } from '../mailbox-name.ts'
import { MailboxTree } from '../mailbox-tree.ts'
import { attributesOf } from './list.ts'

export const lsub = command({
  name: 'LSUB',
  state: 'authenticated',
  parse(parser, { session }) {
    parser.sp()
    const reference = decodeMailboxName(parser.astring(), session.usesUtf8Names)
    parser.sp()
    return { reference, pattern: decodeMailboxName(parser.listMailbox(), session.usesUtf8Names) }
  },
  async run(session, { reference, pattern }) {
    const { account, store, out } = session
    const tree = new MailboxTree(await listVisible(session), await listSubscriptions(store.reader, account))
    const matches = compilePattern([pattern], reference)
    // A level that is not subscribed but has something subscribed below is shown as \Noselect for '%' (RFC 3501 §6.3.9).
    const endsWithPercent = pattern.endsWith('%')
    for (const node of tree.nodes) {
      const breath = session.connection.breathe()
      if (breath !== undefined) await breath
      if (!matches(node.name)) continue
      if (!node.isSubscribed && !(endsWithPercent && node.hasSubscribedBelow)) continue
      const attributes = node.isSubscribed ? attributesOf(node) : ['\\Noselect']
      out.ascii(`* LSUB (${attributes.join(' ')}) "/" `)
      session.writeMailbox(node.name)
      out.crlf()
    }
  },
})
