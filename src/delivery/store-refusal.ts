// What the store refuses, in SMTP's words. RFC 5321 §4.2.3; RFC 3463.
import { SmtpRefusal } from '../smtp/reply.ts'
import type { StoreErrorCode } from '../store/error.ts'

/** The refusal of a message or recipient that the store did not take. */
export function storeRefusal(code: StoreErrorCode): SmtpRefusal {
  switch (code) {
    case 'disk-full':
      return new SmtpRefusal(452, '4.3.1', 'No room on disk, try again later')
    case 'over-quota':
      return new SmtpRefusal(452, '4.2.2', 'The mailbox is full')
    case 'too-many':
      return new SmtpRefusal(452, '4.2.2', 'The mailbox holds too many messages or mailboxes')
    case 'no-such-account':
      return new SmtpRefusal(550, '5.1.1', 'No such mailbox')
    case 'unavailable':
      return new SmtpRefusal(451, '4.3.0', 'The store is out of reach, try again')
    default:
      return new SmtpRefusal(451, '4.3.0', 'Not stored, try again')
  }
}
