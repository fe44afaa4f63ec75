// The end of a STORE. RFC 7162 §3.1.3.
import { type Breathe, inStretches } from '../../base/breathe.ts'
import { breatheIn } from '../breaths.ts'
import type { Completion } from '../command.ts'
import { formatMany } from '../sequence-set.ts'
import type { Session } from '../session.ts'

/** OK, with the messages that had changed after UNCHANGEDSINCE. */
export async function completeStore(
  session: Session,
  unmodified: ArrayLike<number>,
  isUid: boolean,
): Promise<Completion> {
  if (unmodified.length === 0) return {}
  const breathe = () => breatheIn(session)
  const failed = isUid ? unmodified : await numbersOf(session, unmodified, breathe)
  return {
    code: `MODIFIED ${await formatMany(failed, breathe)}`,
    text: 'Some were changed meanwhile and are left as they are',
  }
}

async function numbersOf({ view }: Session, uids: ArrayLike<number>, breathe: Breathe): Promise<Uint32Array> {
  const numbers = new Uint32Array(uids.length)
  await inStretches(uids.length, breathe, (from, to) => {
    for (let at = from; at < to; at++) numbers[at] = view.numberOf(uids[at] as number)
  })
  return numbers
}
