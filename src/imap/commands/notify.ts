// NOTIFY. RFC 5465 §3.1, §8.
import { command, type Completion, type ParseContext } from '../command.ts'
import { bad, no } from '../error.ts'
import type { FetchItem } from '../fetch/fetch-item.ts'
import { parseFetchItems } from '../fetch/items.ts'
import type { Parser } from '../input/parser.ts'
import { tellNews } from '../news.ts'
import { Notifications } from '../notify/notifications.ts'
import {
  eventNames,
  type EventGroup,
  type MailboxEvent,
  type MailboxFilter,
  type MessageEvents,
  notifyNothing,
  type NotifySpec,
  type SelectedEvents,
} from '../notify/notify-spec.ts'
import type { Session } from '../session.ts'
import { mailboxName } from './arguments.ts'

interface NotifyArgs {
  readonly spec: NotifySpec
  readonly withStatus: boolean
  /** Events that the server does not have: NO, once the command is known to be well-formed. */
  readonly hasUnknownEvent: boolean
}

export const notify = command({
  name: 'NOTIFY',
  state: 'authenticated',
  parse: parseArguments,
  run: setNotifications,
})

function parseArguments(parser: Parser, context: ParseContext): NotifyArgs {
  parser.sp()
  const word = parser.keyword()
  if (word === 'NONE') return { spec: notifyNothing, withStatus: false, hasUnknownEvent: false }
  if (word !== 'SET') throw bad('NOTIFY takes SET or NONE')
  parser.sp()
  const withStatus = parser.takeKeyword('STATUS')
  if (withStatus) parser.sp()
  let selected: SelectedEvents | undefined
  const groups: EventGroup[] = []
  let hasUnknownEvent = false
  do {
    const { filter, events } = parseGroup(parser, context)
    hasUnknownEvent ||= events.isUnknown
    if (filter.kind !== 'selected' && filter.kind !== 'selected-delayed') {
      groups.push(otherEvents(events, filter))
      continue
    }
    // §6.1: one of the two, once.
    if (selected) throw bad('SELECTED stands once')
    selected = selectedEvents(events, filter.kind === 'selected-delayed')
  } while (parser.moreAfterSpace())
  return { spec: { selected, groups }, withStatus, hasUnknownEvent }
}

type Filter = MailboxFilter | { readonly kind: 'selected' } | { readonly kind: 'selected-delayed' }

interface Events {
  readonly names: ReadonlySet<string>
  /** With MessageNew. */
  readonly items: readonly FetchItem[] | undefined
  readonly isUnknown: boolean
}

/** `(filter (event …))`; the parentheses around the events are missing in the RFC's examples, and may be. */
function parseGroup(
  parser: Parser,
  context: ParseContext,
): { readonly filter: Filter; readonly events: Events } {
  parser.expect('(')
  const filter = parseFilter(parser, context)
  parser.sp()
  const events = parseEvents(parser, context)
  parser.expect(')')
  return { filter, events }
}

function parseFilter(parser: Parser, context: ParseContext): Filter {
  const word = parser.keyword()
  switch (word) {
    case 'SELECTED':
      return { kind: 'selected' }
    case 'SELECTED-DELAYED':
      return { kind: 'selected-delayed' }
    case 'INBOXES':
    case 'PERSONAL':
      return { kind: 'personal' }
    case 'SUBSCRIBED':
      return { kind: 'subscribed' }
    case 'SUBTREE':
    case 'MAILBOXES': {
      parser.sp()
      const one = () => canonical(mailboxName(parser, context))
      const names = parser.isListNext ? parser.list(one) : [one()]
      if (names.length === 0) throw bad('name at least one mailbox')
      return { kind: word === 'SUBTREE' ? 'subtree' : 'mailboxes', names }
    }
    default:
      throw bad('there is no such set of mailboxes')
  }
}

function canonical(name: string): string {
  return /^inbox(?=$|\/)/i.test(name) ? `INBOX${name.slice(5)}` : name
}

function parseEvents(parser: Parser, context: ParseContext): Events {
  if (parser.takeKeyword('NONE')) return { names: new Set(), items: undefined, isUnknown: false }
  const names = new Set<string>()
  let items: readonly FetchItem[] | undefined
  let isUnknown = false
  const one = () => {
    const word = parser.keyword()
    const known = eventNames.find(name => name.toUpperCase() === word)
    if (known === undefined) isUnknown = true
    else names.add(known)
    if (known === 'MessageNew' && parser.peekText(' (')) {
      parser.sp()
      items = parseFetchItems(parser, context)
    }
  }
  if (parser.isListNext) parser.list(one)
  else
    do one()
    while (!parser.peek(')') && parser.moreAfterSpace())
  if (names.size === 0 && !isUnknown) throw bad('name at least one event, or NONE')
  return { names, items, isUnknown }
}

/** §5: MessageNew and MessageExpunge together, and both with FlagChange and AnnotationChange. */
function messageEvents({ names, isUnknown }: Events): MessageEvents {
  const messages = names.has('MessageNew')
  const flags = names.has('FlagChange')
  const annotations = names.has('AnnotationChange')
  if (!isUnknown && (messages !== names.has('MessageExpunge') || ((flags || annotations) && !messages)))
    throw bad('MessageNew, MessageExpunge and FlagChange go together')
  return { messages, flags, annotations }
}

function selectedEvents(events: Events, isDelayed: boolean): SelectedEvents {
  const others = [...events.names].filter(
    name => !['MessageNew', 'MessageExpunge', 'FlagChange', 'AnnotationChange'].includes(name),
  )
  if (others.length > 0) throw bad('SELECTED takes events of messages only')
  return { ...messageEvents(events), isDelayed, items: events.items ?? [] }
}

function otherEvents(events: Events, filter: MailboxFilter): EventGroup {
  if (events.items) throw bad('FETCH items go with SELECTED only')
  const mailboxEvents = new Set<MailboxEvent>()
  for (const name of [
    'MailboxName',
    'SubscriptionChange',
    'MailboxMetadataChange',
    'ServerMetadataChange',
  ] as const)
    if (events.names.has(name)) mailboxEvents.add(name)
  return { ...messageEvents(events), filter, mailboxEvents }
}

async function setNotifications(session: Session, args: NotifyArgs): Promise<Completion> {
  if (args.hasUnknownEvent)
    throw no(`BADEVENT (${eventNames.join(' ')})`, 'There is an event that this server does not have')
  // §3.1: whatever has gathered so far is told, as NOOP would.
  session.notifications?.stop()
  session.notifications = undefined
  await tellNews(session, true)
  session.notifications = await Notifications.start(session, args.spec, args.withStatus)
  return {}
}
