// COMPARATOR. RFC 5255 §4.7.
import { limits } from '../../base/limits.ts'
import { command } from '../command.ts'
import { bad, no } from '../error.ts'
import { type Collation, findCollations } from '../search/collation.ts'

export const comparator = command({
  name: 'COMPARATOR',
  state: 'authenticated',
  parse(parser) {
    const wanted: string[] = []
    while (parser.moreAfterSpace()) {
      wanted.push(parser.astring())
      if (wanted.length > limits.imap.comparators) throw bad('that are too many comparators', 'TOOBIG')
    }
    return wanted
  },
  run(session, wanted) {
    const { out } = session
    const matching = new Set<Collation>(wanted.flatMap(findCollations))
    // RFC 5255 §4.7: the first argument that matches wins.
    const [chosen] = matching
    if (wanted.length > 0 && !chosen) throw no('BADCOMPARATOR', 'There is no such comparator here')
    if (chosen) session.comparator = chosen
    out.ascii('* COMPARATOR ').astring(session.comparator.name)
    if (matching.size > 1) out.ascii(` (${[...matching].map(({ name }) => name).join(' ')})`)
    out.crlf()
  },
})
