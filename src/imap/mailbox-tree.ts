// The names of an account as LIST sees them: mailboxes, levels above them that are no mailboxes, and names that are only subscribed.
import type { VisibleMailbox } from './mailbox-access.ts'

export interface TreeNode {
  readonly name: string
  /** Undefined for a level without a mailbox and for a subscription to nothing. */
  readonly mailbox: VisibleMailbox | undefined
  readonly isSubscribed: boolean
  hasChildren: boolean
  hasSubscribedBelow: boolean
}

export class MailboxTree {
  /** INBOX first, then by name. */
  readonly nodes: readonly TreeNode[]

  constructor(mailboxes: readonly VisibleMailbox[], subscriptions: readonly string[]) {
    const subscribed = new Set(subscriptions)
    const nodes = new Map<string, TreeNode>()
    const add = (name: string, mailbox: VisibleMailbox | undefined) => {
      if (nodes.has(name)) return
      nodes.set(name, {
        name,
        mailbox,
        isSubscribed: subscribed.has(name),
        hasChildren: false,
        hasSubscribedBelow: false,
      })
    }
    for (const mailbox of mailboxes) add(mailbox.name, mailbox)
    for (const { name } of mailboxes) for (const level of levelsAbove(name)) add(level, undefined)
    for (const name of subscriptions) add(name, undefined)
    for (const { name } of mailboxes) {
      for (const level of levelsAbove(name)) (nodes.get(level) as TreeNode).hasChildren = true
    }
    for (const name of subscriptions) {
      for (const level of levelsAbove(name)) {
        const node = nodes.get(level)
        if (node) node.hasSubscribedBelow = true
        else
          nodes.set(level, {
            name: level,
            mailbox: undefined,
            isSubscribed: false,
            hasChildren: false,
            hasSubscribedBelow: true,
          })
      }
    }
    this.nodes = [...nodes.values()].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
  }
}

function rank(node: TreeNode): number {
  return node.name === 'INBOX' ? 0 : 1
}

/** `a` and `a/b` of `a/b/c`. */
function* levelsAbove(name: string): Generator<string> {
  for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) yield name.slice(0, at)
}
