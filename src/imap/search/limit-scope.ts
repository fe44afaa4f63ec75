// Cuts what a SEARCH looks at to as many messages as one command may work on. RFC 9738 §3.1: those are the messages searched, not those that match.
import type { Criterion, SearchKey } from './search-key.ts'
import type { SearchScope } from './search-scope.ts'

/** The last `most` messages among those that the criterion's sets name, and the lowest of their UIDs where there are more. */
export function limitScope(
  scope: SearchScope,
  criterion: Criterion,
  most: number,
): { readonly scope: SearchScope; readonly lowestUid: number | undefined } {
  if (scope.count <= most) return { scope, lowestUid: undefined }
  const tests = narrowingKeys(criterion).flatMap(key => key.narrow?.(scope) ?? [])
  const kept: number[] = []
  for (let index = scope.count - 1; index >= 0; index--) {
    if (!tests.every(test => test(index))) continue
    if (kept.length === most) {
      kept.reverse()
      return { scope: part(scope, kept), lowestUid: scope.uids[kept[0] as number] }
    }
    kept.push(index)
  }
  return { scope, lowestUid: undefined }
}

/** Keys that all of the messages must match and that name sets of them. */
function narrowingKeys(criterion: Criterion): readonly SearchKey[] {
  if (criterion.kind === 'key') return criterion.narrow ? [criterion] : []
  return criterion.kind === 'and' ? criterion.of.flatMap(narrowingKeys) : []
}

/** Only some of the messages, by ascending index. */
export function part(scope: SearchScope, indexes: readonly number[]): SearchScope {
  const take = (array: Uint32Array) => Uint32Array.from(indexes, index => array[index] as number)
  return {
    ...scope,
    count: indexes.length,
    numbers: take(scope.numbers),
    uids: take(scope.uids),
    positions: take(scope.positions),
  }
}
