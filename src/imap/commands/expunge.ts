// EXPUNGE. RFC 9051 §6.4.3; RFC 7162 §3.2.4.
import { rightBits } from '../../store/rights.ts'
import type { UidRanges } from '../../store/uid-ranges.ts'
import { breatheIn } from '../breaths.ts'
import { command, type Completion } from '../command.ts'
import { highestModSeqCode } from '../condstore.ts'
import { deletedRanges } from '../deleted-messages.ts'
import { mutateMailbox } from '../mailbox-access.ts'
import { syncSelected } from '../news.ts'
import type { Session } from '../session.ts'
import { assertWritable, noArguments } from './arguments.ts'

export const expunge = command({
  name: 'EXPUNGE',
  state: 'selected',
  reportsProgress: true,
  parse: noArguments,
  run: session => expungeDeleted(session, undefined),
})

/** Removes messages marked \Deleted: all of them, or those among `uids`. */
export async function expungeDeleted(session: Session, uids: UidRanges | undefined): Promise<Completion> {
  const { view } = session
  assertWritable(view)
  const { account, id: mailbox } = view.mailbox
  await mutateMailbox(session, [{ mailbox: view.mailbox, rights: rightBits.e }], 'expungeMessages', {
    account,
    mailbox,
    onlyDeleted: true,
    uids: uids ?? (await deletedRanges(await view.refresh(), () => breatheIn(session))),
  })
  await syncSelected(session, view, true)
  return { code: highestModSeqCode(session) }
}
