// Object ids as clients see them. RFC 8474 §4: 1 to 255 letters, digits, '-' and '_'.
//
// Numbers are unique in their account only, so what belongs to another account than the client's own ends with that one's.
import type { AccountId, EmailId, MailboxId, ThreadId } from '../base/ids.ts'

export function foreignSuffix(owner: AccountId): string {
  return `-${owner}`
}

export function mailboxId(id: MailboxId, owner: AccountId, viewer: AccountId): string {
  return `M${id}${owner === viewer ? '' : foreignSuffix(owner)}`
}

export function emailId(id: EmailId, suffix: string): string {
  return `E${id}${suffix}`
}

export function threadId(id: ThreadId, suffix: string): string {
  return `T${id}${suffix}`
}
