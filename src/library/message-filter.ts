// Which message is waited for.
import type { MailAddress, ReceivedMessage } from './received-message.ts'

/** Text is found anywhere, in any case; all that is given must match. */
export interface MessageFilter {
  readonly subject?: string | RegExp
  /** The name or the address of an author. */
  readonly from?: string | RegExp
  /** The name or the address of somebody in To or Cc. */
  readonly to?: string | RegExp
  readonly text?: string | RegExp
  /** The whole name of the mailbox it lies in. */
  readonly mailbox?: string
}

export type MessagePredicate = (message: ReceivedMessage) => boolean

/** The predicate that a filter stands for. */
export function predicateOf(filter: MessageFilter | MessagePredicate): MessagePredicate {
  if (typeof filter === 'function') return filter
  const { subject, from, to, text, mailbox } = filter
  return message =>
    (subject === undefined || matches(message.subject, subject)) &&
    (from === undefined || someMatches(message.from, from)) &&
    (to === undefined || someMatches([...message.to, ...message.cc], to)) &&
    (text === undefined || matches(message.text, text)) &&
    (mailbox === undefined || message.mailbox === mailbox)
}

function someMatches(addresses: readonly MailAddress[], wanted: string | RegExp): boolean {
  return addresses.some(({ name, address }) => matches(`${name} <${address}>`, wanted))
}

function matches(text: string, wanted: string | RegExp): boolean {
  if (typeof wanted === 'string') return text.toLowerCase().includes(wanted.toLowerCase())
  // A global expression would go on where it stopped before.
  wanted.lastIndex = 0
  return wanted.test(text)
}

/** A filter in words, for the error of a wait that ended. */
export function describeFilter(filter: MessageFilter | MessagePredicate): string {
  if (typeof filter === 'function') return 'that the predicate takes'
  const parts = Object.entries(filter).map(
    ([key, value]) => `${key} ${value instanceof RegExp ? String(value) : JSON.stringify(value)}`,
  )
  return parts.length === 0 ? '' : `with ${parts.join(' and ')}`
}
