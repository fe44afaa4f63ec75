// MOVE and UID MOVE. RFC 6851; RFC 9051 §6.4.8. EXPUNGE may be sent in answer to both.
import { command } from '../command.ts'
import { highestModSeqCode } from '../condstore.ts'
import { syncStyle } from '../sync-style.ts'
import { assertWritable } from './arguments.ts'
import { parseTransfer, transfer } from './copy.ts'

export const move = command({
  name: 'MOVE',
  state: 'selected',
  uid: 'also',
  reportsProgress: true,
  parse: parseTransfer,
  async run(session, args, isUid) {
    const { view } = session
    assertWritable(view)
    const code = await transfer(session, 'moveMessages', args, isUid)
    // COPYUID comes before the EXPUNGEs it explains (RFC 6851 §4.3).
    if (code) session.out.line(`* OK [${code}] Moved`)
    await view.sync(session.out, syncStyle(session), true)
    return { code: highestModSeqCode(session) }
  },
})
