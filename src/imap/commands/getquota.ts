// GETQUOTA. RFC 9208 §4.1.1, from knowledge of it.
import { command } from '../command.ts'
import { findRoot, writeQuota } from '../quota.ts'

export const getQuota = command({
  name: 'GETQUOTA',
  state: 'authenticated',
  parse(parser) {
    parser.sp()
    return parser.astring()
  },
  async run(session, root) {
    await writeQuota(session, await findRoot(session, root))
  },
})
