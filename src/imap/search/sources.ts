// Which mailboxes an ESEARCH is about. RFC 7377 §2.2, §4 (esearch-source-opts); RFC 5465 §6 (filter-mailboxes).
import { listSubscriptions } from '../../store/read/mailboxes.ts'
import { canonicalMailboxName } from '../../store/mailbox-name.ts'
import type { ParseContext } from '../command.ts'
import { mailboxName } from '../commands/arguments.ts'
import { rightsFor } from '../command-rights.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { isSameMailbox, listVisible, mayUse, type VisibleMailbox } from '../mailbox-access.ts'
import type { Session } from '../session.ts'

export type SearchSource =
  | { readonly kind: 'selected' | 'personal' | 'subscribed' }
  | { readonly kind: 'mailboxes' | 'subtree' | 'subtree-one'; readonly names: readonly string[] }

/** Reads `IN (mailboxes "a" subtree ("b" "c")) ` if it is there; else it is the selected mailbox. Throws BAD. */
export function parseSources(parser: Parser, context: ParseContext): readonly SearchSource[] {
  if (!parser.takeKeyword('IN')) return [{ kind: 'selected' }]
  parser.sp()
  const sources = parser.list(() => parseSource(parser, context))
  if (sources.length === 0) throw bad('IN takes at least one source')
  parser.sp()
  return sources
}

function parseSource(parser: Parser, context: ParseContext): SearchSource {
  const kind = parser.keyword()
  switch (kind) {
    case 'SELECTED':
      return { kind: 'selected' }
    // RFC 5465 §6.3: any mailbox may get mail delivered.
    case 'INBOXES':
    case 'PERSONAL':
      return { kind: 'personal' }
    case 'SUBSCRIBED':
      return { kind: 'subscribed' }
    case 'MAILBOXES':
      return { kind: 'mailboxes', names: parseNames(parser, context) }
    case 'SUBTREE':
      return { kind: 'subtree', names: parseNames(parser, context) }
    case 'SUBTREE-ONE':
      return { kind: 'subtree-one', names: parseNames(parser, context) }
    default:
      // Also SELECTED-DELAYED, which is for NOTIFY only (RFC 7377 §2.2).
      throw bad('there is no such source of messages')
  }
}

function parseNames(parser: Parser, context: ParseContext): readonly string[] {
  parser.sp()
  if (!parser.isListNext) return [canonicalMailboxName(mailboxName(parser, context))]
  const names = parser.list(() => canonicalMailboxName(mailboxName(parser, context)))
  if (names.length === 0) throw bad('a list of mailboxes is empty')
  return names
}

/** The mailboxes of the sources, each once, by name. Names that lead to nothing are passed over (RFC 7377 §5). */
export async function findSources(
  session: Session,
  sources: readonly SearchSource[],
): Promise<readonly VisibleMailbox[]> {
  const { account, store, state } = session
  const mailboxes = await listVisible(session, rightsFor('ESEARCH'))
  const subscribed = sources.some(({ kind }) => kind === 'subscribed')
    ? new Set(await listSubscriptions(store.reader, account))
    : new Set<string>()
  const selected = state.kind === 'selected' ? state.view.mailbox : undefined
  const tests = sources.map((source): ((mailbox: VisibleMailbox) => boolean) => {
    switch (source.kind) {
      case 'selected':
        return mailbox => selected !== undefined && isSameMailbox(mailbox, selected)
      case 'personal':
        return mailbox => mailbox.account === account
      case 'subscribed':
        return ({ name }) => subscribed.has(name)
      default:
        return byName(source.kind, new Set(source.names))
    }
  })
  // RFC 7377 §2.2: what is not named must also be in LIST.
  const isListed = (mailbox: VisibleMailbox, index: number) =>
    sources[index]?.kind === 'mailboxes' || mayUse(mailbox, rightsFor('LIST'))
  return mailboxes.filter(mailbox => tests.some((test, index) => test(mailbox) && isListed(mailbox, index)))
}

function byName(
  kind: 'mailboxes' | 'subtree' | 'subtree-one',
  names: ReadonlySet<string>,
): (mailbox: VisibleMailbox) => boolean {
  return ({ name }) => {
    if (names.has(name)) return true
    if (kind === 'mailboxes') return false
    let slash = name.lastIndexOf('/')
    if (kind === 'subtree-one') return slash > 0 && names.has(name.slice(0, slash))
    for (; slash > 0; slash = name.lastIndexOf('/', slash - 1))
      if (names.has(name.slice(0, slash))) return true
    return false
  }
}
