// The end of a STORE. RFC 7162 §3.1.3.
import type { Completion } from '../command.ts'
import type { MailboxView } from '../mailbox-view.ts'
import { formatNumbers } from '../sequence-set.ts'

/** OK, with the messages that had changed after UNCHANGEDSINCE. */
export function completeStore(view: MailboxView, unmodified: readonly number[], isUid: boolean): Completion {
  if (unmodified.length === 0) return {}
  const failed = isUid ? unmodified : unmodified.map(uid => view.numberOf(uid))
  return {
    code: `MODIFIED ${formatNumbers(failed)}`,
    text: 'Some were changed meanwhile and are left as they are',
  }
}
