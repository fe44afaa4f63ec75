// FILTER: a search that was stored under a name. RFC 5466 §3.1.
import { bad } from '../../error.ts'
import type { SearchKeyDefinition } from '../search-key.ts'

export const filter: SearchKeyDefinition = {
  name: 'FILTER',
  parse(parser) {
    parser.sp()
    const name = parser.atom()
    // RFC 5466 §4, filter-name.
    if (name.includes('/')) throw bad('the name of a filter holds no "/"')
    return { kind: 'filter', name }
  },
}
