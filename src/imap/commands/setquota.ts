// SETQUOTA, for administrators. RFC 9208 §4.1.3, from knowledge of it.
import { command } from '../command.ts'
import { bad, no } from '../error.ts'
import { findRoot, quotaChange, quotaResources, writeQuota } from '../quota.ts'

export const setQuota = command({
  name: 'SETQUOTA',
  state: 'authenticated',
  parse(parser) {
    parser.sp()
    const root = parser.astring()
    parser.sp()
    const wanted = new Map<string, number>()
    parser.list(() => {
      const name = parser.keyword()
      parser.sp()
      if (wanted.has(name)) throw bad('a resource is named twice')
      wanted.set(name, parser.number64())
    })
    return { root, wanted }
  },
  async run(session, { root, wanted }) {
    if (!session.identity.isAdmin) throw no('NOPERM', 'Administrators set quotas')
    const account = await findRoot(session, root)
    for (const [name, value] of wanted) {
      const resource = quotaResources.find(known => known.name === name)
      if (!resource) throw no('CANNOT', `There is no resource ${name}`)
      if (value * resource.unit > Number.MAX_SAFE_INTEGER)
        throw no('LIMIT', 'That is more than can be counted')
    }
    await session.store.mutate('updateAccount', quotaChange(account, wanted))
    await writeQuota(session, account)
  },
})
