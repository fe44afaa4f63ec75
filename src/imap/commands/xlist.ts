// XLIST: LIST as Gmail had it before RFC 6154, with its own words for special uses. Vendor extension; support.google.com/mail/answer/78892.
import { listSubscriptions } from '../../store/read/mailboxes.ts'
import { command } from '../command.ts'
import { compilePattern } from '../list-pattern.ts'
import { listVisible } from '../mailbox-access.ts'
import { decodeMailboxName } from '../mailbox-name.ts'
import { MailboxTree, type TreeNode } from '../mailbox-tree.ts'
import { attributesOf } from './list.ts'

/** Gmail's words where they are not those of RFC 6154. */
const gmailWords = new Map([
  ['\\All', '\\AllMail'],
  ['\\Flagged', '\\Starred'],
  ['\\Junk', '\\Spam'],
])

export const xlist = command({
  name: 'XLIST',
  state: 'authenticated',
  parse(parser, { session }) {
    parser.sp()
    const reference = decodeMailboxName(parser.astring(), session.usesUtf8Names)
    parser.sp()
    return { reference, pattern: decodeMailboxName(parser.listMailbox(), session.usesUtf8Names) }
  },
  async run(session, { reference, pattern }) {
    const { account, store, out } = session
    if (pattern === '') {
      out.line('* XLIST (\\Noselect) "/" ""')
      return
    }
    const tree = new MailboxTree(await listVisible(session), await listSubscriptions(store.reader, account))
    const matches = compilePattern([pattern], reference)
    for (const node of tree.nodes) {
      const breath = session.connection.breathe()
      if (breath !== undefined) await breath
      if (!matches(node.name) || (!node.mailbox && !node.hasChildren)) continue
      out.ascii(`* XLIST (${wordsOf(node).join(' ')}) "/" `)
      session.writeMailbox(node.name)
      out.crlf()
    }
  },
})

function wordsOf(node: TreeNode): string[] {
  const words = attributesOf(node).map(word => gmailWords.get(word) ?? word)
  if (node.name === 'INBOX') words.push('\\Inbox')
  return words
}
