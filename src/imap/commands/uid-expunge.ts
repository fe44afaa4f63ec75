// UID EXPUNGE: only those among the given UIDs. RFC 4315 §2.1; RFC 9051 §6.4.9.
import { command } from '../command.ts'
import { complete, limitDeleted, messageLimit } from '../message-limit.ts'
import { expungeDeleted } from './expunge.ts'
import { uidRanges } from './arguments.ts'

export const uidExpunge = command({
  name: 'EXPUNGE',
  state: 'selected',
  uid: 'only',
  reportsProgress: true,
  parse(parser) {
    parser.sp()
    return parser.sequenceSet()
  },
  run(session, set) {
    const { uids, lowestUid } = limitDeleted(session, session.view.select(set, true).uids)
    const run = () => expungeDeleted(session, uidRanges(uids))
    return lowestUid === undefined ? run() : complete(session, messageLimit(session), lowestUid, run)
  },
})
