// LIST, basic and extended. RFC 9051 §6.3.9; RFC 5258; LIST-STATUS of RFC 5819; LIST-METADATA of RFC 9590, from knowledge of it; SPECIAL-USE of RFC 6154.
import { listSubscriptions } from '../../store/read/mailboxes.ts'
import { command, type ParseContext } from '../command.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { rightsFor } from '../command-rights.ts'
import { listVisible, mayUse } from '../mailbox-access.ts'
import { MailboxTree, type TreeNode } from '../mailbox-tree.ts'
import { decodeMailboxName } from '../mailbox-name.ts'
import { parseEntry, readMailboxAnnotations, selectAnnotations, writeAnnotations } from '../metadata.ts'
import { compilePattern } from '../list-pattern.ts'
import type { Session } from '../session.ts'
import { writeMyRights } from './myrights.ts'
import { enableByStatus, parseStatusItems, writeStatus } from './status.ts'

interface ReturnOptions {
  readonly subscribed: boolean
  readonly statusItems: readonly string[]
  /** RFC 8440. */
  readonly rights: boolean
  /** Annotations to show (RFC 9590). */
  readonly entries: readonly string[]
}

interface ListArgs {
  readonly reference: string
  readonly patterns: readonly string[]
  readonly selection: {
    readonly subscribed: boolean
    readonly specialUse: boolean
    readonly recursiveMatch: boolean
  }
  readonly result: ReturnOptions
}

export const list = command({
  name: 'LIST',
  state: 'authenticated',
  parse: parseArguments,
  async run(session, args) {
    // A client that asks for the name "" wants to know the separator (RFC 9051 §6.3.9).
    if (args.patterns.length === 1 && args.patterns[0] === '') {
      session.out.line('* LIST (\\Noselect) "/" ""')
      return
    }
    const { account, store } = session
    enableByStatus(session, args.result.statusItems)
    const tree = new MailboxTree(await listVisible(session), await listSubscriptions(store.reader, account))
    const pattern = compilePattern(args.patterns, args.reference)
    for (const node of tree.nodes) {
      if (pattern(node.name)) await writeNode(session, node, args)
      const breath = session.connection.breathe()
      if (breath !== undefined) await breath
    }
  },
})

function parseArguments(parser: Parser, context: ParseContext): ListArgs {
  parser.sp()
  const selection = { subscribed: false, specialUse: false, recursiveMatch: false }
  const result = {
    subscribed: false,
    statusItems: [] as readonly string[],
    rights: false,
    entries: [] as readonly string[],
  }
  if (parser.isListNext) {
    parser.list(() => parseSelectionOption(parser, selection))
    parser.sp()
    // RFC 5258 §3.1: it modifies another option.
    if (selection.recursiveMatch && !selection.subscribed && !selection.specialUse) {
      throw bad('RECURSIVEMATCH needs another option beside it')
    }
  }
  const isUtf8 = context.session.usesUtf8Names
  const reference = decodeMailboxName(parser.astring(), isUtf8)
  parser.sp()
  const raw = parser.isListNext ? parser.list(() => parser.listMailbox()) : [parser.listMailbox()]
  const patterns = raw.map(pattern => decodeMailboxName(pattern, isUtf8))
  if (patterns.length === 0) throw bad('LIST takes at least one pattern')
  if (parser.moreAfterSpace()) {
    if (!parser.takeKeyword('RETURN')) throw bad('expected RETURN')
    parser.sp()
    parser.list(() => parseReturnOption(parser, result))
  }
  // RFC 5258 §3.1: what was selected by subscription says so.
  return {
    reference,
    patterns,
    selection,
    result: { ...result, subscribed: result.subscribed || selection.subscribed },
  }
}

function parseSelectionOption(
  parser: Parser,
  selection: { subscribed: boolean; specialUse: boolean; recursiveMatch: boolean },
): void {
  const option = parser.keyword()
  if (option === 'SUBSCRIBED') selection.subscribed = true
  else if (option === 'SPECIAL-USE') selection.specialUse = true
  else if (option === 'RECURSIVEMATCH') selection.recursiveMatch = true
  // There are no remote mailboxes here, so this asks for nothing more.
  else if (option !== 'REMOTE') throw bad(`there is no selection option ${option}`)
}

function parseReturnOption(
  parser: Parser,
  result: {
    subscribed: boolean
    statusItems: readonly string[]
    rights: boolean
    entries: readonly string[]
  },
): void {
  const option = parser.keyword()
  if (option === 'SUBSCRIBED') result.subscribed = true
  else if (option === 'MYRIGHTS') result.rights = true
  else if (option === 'STATUS') {
    parser.sp()
    result.statusItems = parseStatusItems(parser)
  } else if (option === 'METADATA') {
    parser.sp()
    result.entries = parser.list(() => parseEntry(parser))
    if (result.entries.length === 0) throw bad('METADATA takes at least one entry')
  }
  // Children and special uses are shown always.
  else if (option !== 'CHILDREN' && option !== 'SPECIAL-USE') throw bad(`there is no return option ${option}`)
}

async function writeNode(session: Session, node: TreeNode, { selection, result }: ListArgs): Promise<void> {
  const isSelected =
    (!selection.subscribed || node.isSubscribed) &&
    (!selection.specialUse || (node.mailbox?.specialUse ?? null) !== null)
  const hasSelectedBelow = selection.recursiveMatch && selection.subscribed && node.hasSubscribedBelow
  if (!isSelected && !hasSelectedBelow) return
  // A name that is subscribed only, with no mailbox, is shown to those who ask for subscriptions.
  if (!node.mailbox && !node.hasChildren && !selection.subscribed) return
  const attributes = attributesOf(node)
  if (result.subscribed && node.isSubscribed) attributes.push('\\Subscribed')
  session.out.ascii(`* LIST (${attributes.join(' ')}) "/" `)
  session.writeMailbox(node.name)
  if (hasSelectedBelow) session.out.ascii(' ("CHILDINFO" ("SUBSCRIBED"))')
  session.out.crlf()
  // RFC 8440 §4: not of a mailbox that is shown for those below it only.
  if (node.mailbox && isSelected && result.rights) writeMyRights(session, node.mailbox)
  // What LIST asks for besides needs what the command of its own would.
  if (node.mailbox && result.statusItems.length > 0 && mayUse(node.mailbox, rightsFor('STATUS')))
    await writeStatus(session, node.mailbox, result.statusItems)
  if (node.mailbox && result.entries.length > 0 && mayUse(node.mailbox, rightsFor('GETMETADATA'))) {
    const annotations = await readMailboxAnnotations(session, node.mailbox)
    writeAnnotations(
      session,
      node.name,
      selectAnnotations(annotations, { entries: result.entries, depth: '0' }),
    )
  }
}

/** What LIST says of a name. RFC 9051 §7.3.1. */
export function attributesOf(node: TreeNode): string[] {
  const attributes = [node.hasChildren ? '\\HasChildren' : '\\HasNoChildren']
  // \NonExistent implies \Noselect, which older clients know (RFC 5258 §3).
  if (!node.mailbox) attributes.push('\\NonExistent', '\\Noselect')
  else if (!mayUse(node.mailbox, rightsFor('SELECT'))) attributes.push('\\Noselect')
  else if (node.mailbox.specialUse !== null) attributes.push(node.mailbox.specialUse)
  return attributes
}
