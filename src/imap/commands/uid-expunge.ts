// UID EXPUNGE: only those among the given UIDs. RFC 4315 §2.1; RFC 9051 §6.4.9.
import { command } from '../command.ts'
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
    return expungeDeleted(session, uidRanges(session.view.select(set, true).uids))
  },
})
