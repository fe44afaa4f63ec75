// UIDAFTER and UIDBEFORE. RFC 9738 §3.2.
import type { SearchKeyDefinition } from '../search-key.ts'
import type { SearchScope } from '../search-scope.ts'

function uidKey(name: string, matches: (uid: number, bound: number) => boolean): SearchKeyDefinition {
  return {
    name,
    parse(parser) {
      parser.sp()
      const bound = parser.nzNumber()
      const bind =
        ({ uids }: SearchScope) =>
        (index: number) =>
          matches(uids[index] as number, bound)
      return { kind: 'key', cost: 'snapshot', bind, narrow: bind }
    },
  }
}

export const uidOrderKeys: readonly SearchKeyDefinition[] = [
  uidKey('UIDAFTER', (uid, bound) => uid > bound),
  uidKey('UIDBEFORE', (uid, bound) => uid < bound),
]
