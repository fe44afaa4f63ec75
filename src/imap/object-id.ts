// Object ids as clients see them. RFC 8474 §4: 1 to 255 letters, digits, '-' and '_'.
import type { EmailId, MailboxId, ThreadId } from '../base/ids.ts'

export function mailboxId(id: MailboxId): string {
  return `M${id}`
}

export function emailId(id: EmailId): string {
  return `E${id}`
}

export function threadId(id: ThreadId): string {
  return `T${id}`
}
