// MOVE and UID MOVE. RFC 6851; RFC 9051 §6.4.8. EXPUNGE may be sent in answer to both.
import { command, type Completion } from '../command.ts'
import { highestModSeqCode } from '../condstore.ts'
import { withMessageLimit } from '../message-limit.ts'
import { syncSelected } from '../news.ts'
import type { Session } from '../session.ts'
import { assertWritable } from './arguments.ts'
import { beginTransfer, parseTransfer, type TransferArgs } from './copy.ts'

export const move = command({
  name: 'MOVE',
  state: 'selected',
  uid: 'also',
  reportsProgress: true,
  parse: parseTransfer,
  run: (session, args, isUid) =>
    withMessageLimit(session, args.set, isUid, set => moveMessages(session, { ...args, set }, isUid)),
})

async function moveMessages(session: Session, args: TransferArgs, isUid: boolean): Promise<Completion> {
  const { view } = session
  assertWritable(view)
  const change = await beginTransfer(session, 'MOVE', args, isUid)
  const code = await change?.code
  // COPYUID comes before the EXPUNGEs it explains (RFC 6851 §4.3).
  if (code) session.say(code, 'Moved')
  await syncSelected(session, view, true)
  return { code: highestModSeqCode(session) }
}
