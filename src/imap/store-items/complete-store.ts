// The end of a STORE. RFC 7162 §3.1.3.
import { breatheIn } from '../breaths.ts'
import type { Completion } from '../command.ts'
import { formatMany } from '../sequence-set.ts'
import type { Session } from '../session.ts'

/** OK, with the messages that had changed after UNCHANGEDSINCE. */
export async function completeStore(
  session: Session,
  unmodified: readonly number[],
  isUid: boolean,
): Promise<Completion> {
  if (unmodified.length === 0) return {}
  const failed = isUid ? unmodified : unmodified.map(uid => session.view.numberOf(uid))
  return {
    code: `MODIFIED ${await formatMany(failed, () => breatheIn(session))}`,
    text: 'Some were changed meanwhile and are left as they are',
  }
}
