// Gmail's labels: the mailboxes that hold an email, and three of a message's flags. X-GM-EXT-1
// (https://developers.google.com/gmail/imap/imap-extensions), from knowledge of it.
import { flagged } from '../../store/flags.ts'
import type { Place } from '../fetch/email-rows.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { decodeMailboxName } from '../mailbox-name.ts'
import type { Session } from '../session.ts'

/** A label of the system that is a mailbox, by its use; INBOX has none. */
export interface UseLabel {
  readonly kind: 'use'
  readonly name: string
  readonly specialUse: string | undefined
}

/** A label of the system that is a flag of the message. */
export interface FlagLabel {
  readonly kind: 'flag'
  readonly name: string
  /** A system flag's bit, or a keyword. */
  readonly flag: number | string
}

/** Any other: the name of a mailbox. */
export interface NameLabel {
  readonly kind: 'name'
  readonly name: string
}

export type Label = UseLabel | FlagLabel | NameLabel

export const inboxLabel: UseLabel = { kind: 'use', name: '\\Inbox', specialUse: undefined }

export const useLabels: readonly UseLabel[] = [
  inboxLabel,
  { kind: 'use', name: '\\Sent', specialUse: '\\Sent' },
  { kind: 'use', name: '\\Draft', specialUse: '\\Drafts' },
  { kind: 'use', name: '\\Spam', specialUse: '\\Junk' },
  { kind: 'use', name: '\\Trash', specialUse: '\\Trash' },
]

export const starred: FlagLabel = { kind: 'flag', name: '\\Starred', flag: flagged }
export const important: FlagLabel = { kind: 'flag', name: '\\Important', flag: '$Important' }
export const muted: FlagLabel = { kind: 'flag', name: '\\Muted', flag: '$muted' }

export const flagLabels: readonly FlagLabel[] = [starred, important, muted]

const systemLabels = new Map<string, Label>(
  [...useLabels, ...flagLabels].map(label => [label.name.toLowerCase(), label]),
)

/** Reads `\Inbox`, `"\\Inbox"` or a mailbox's name. Throws BAD. */
export function parseLabel(parser: Parser, session: Session): Label {
  const text = parser.peek('\\') ? parser.flag() : parser.astring()
  if (!text.startsWith('\\')) return { kind: 'name', name: decodeMailboxName(text, session.usesUtf8Names) }
  const label = systemLabels.get(text.toLowerCase())
  if (!label) throw bad('there is no such label of the system')
  return label
}

/** The label of a mailbox. */
export function labelOf({ name, specialUse }: Place): UseLabel | NameLabel {
  if (name === 'INBOX') return inboxLabel
  const use = specialUse === null ? undefined : useLabels.find(label => label.specialUse === specialUse)
  return use ?? { kind: 'name', name }
}

/** Whether a mailbox is what a label names. */
export function isLabelled(place: Place, label: UseLabel | NameLabel): boolean {
  if (label.kind === 'name') return place.name === label.name || isInbox(place.name, label.name)
  return label.specialUse === undefined ? place.name === 'INBOX' : place.specialUse === label.specialUse
}

function isInbox(place: string, name: string): boolean {
  return place === 'INBOX' && name.toUpperCase() === 'INBOX'
}
