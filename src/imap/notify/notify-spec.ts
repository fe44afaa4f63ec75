// What a client wants to be told of, as NOTIFY SET says it. RFC 5465 §6, §8.
import type { FetchItem } from '../fetch/fetch-item.ts'
import { isForeignName } from '../mailbox-access.ts'

/** Events of messages come in two bundles: MessageNew with MessageExpunge always, FlagChange and AnnotationChange only with both. */
export interface MessageEvents {
  readonly messages: boolean
  readonly flags: boolean
  /** AnnotationChange, on the same terms (RFC 5257). */
  readonly annotations: boolean
}

export interface SelectedEvents extends MessageEvents {
  /** SELECTED-DELAYED: expunges wait for a command that may tell of them. */
  readonly isDelayed: boolean
  /** What is told of a new message. */
  readonly items: readonly FetchItem[]
}

export type MailboxFilter =
  /** INBOXES is the same as PERSONAL (§6.3): any mailbox may get mail delivered. */
  | { readonly kind: 'personal' }
  | { readonly kind: 'subscribed' }
  | { readonly kind: 'subtree' | 'mailboxes'; readonly names: readonly string[] }

export type MailboxEvent =
  | 'MailboxName'
  | 'SubscriptionChange'
  | 'MailboxMetadataChange'
  | 'ServerMetadataChange'

export interface EventGroup extends MessageEvents {
  readonly filter: MailboxFilter
  readonly mailboxEvents: ReadonlySet<MailboxEvent>
}

export interface NotifySpec {
  /** Undefined: nothing of the selected mailbox is told. */
  readonly selected: SelectedEvents | undefined
  readonly groups: readonly EventGroup[]
}

/** NOTIFY NONE. */
export const notifyNothing: NotifySpec = { selected: undefined, groups: [] }

/** All that the server can tell of, for BADEVENT. */
export const eventNames = [
  'MessageNew',
  'MessageExpunge',
  'FlagChange',
  'AnnotationChange',
  'MailboxName',
  'SubscriptionChange',
  'MailboxMetadataChange',
  'ServerMetadataChange',
] as const

function isCovered(filter: MailboxFilter, name: string, isSubscribed: (name: string) => boolean): boolean {
  switch (filter.kind) {
    case 'personal':
      return !isForeignName(name)
    case 'subscribed':
      return isSubscribed(name)
    case 'mailboxes':
      return filter.names.includes(name)
    case 'subtree':
      return filter.names.some(top => name === top || name.startsWith(`${top}/`))
  }
}

/** The groups that cover a mailbox; all of their events are told of it (RFC 5465 §6). */
export function groupsOf(
  { groups }: NotifySpec,
  name: string,
  isSubscribed: (name: string) => boolean,
): readonly EventGroup[] {
  return groups.filter(({ filter }) => isCovered(filter, name, isSubscribed))
}
