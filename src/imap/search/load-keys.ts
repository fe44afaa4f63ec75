// Keys that need more than a message's row or text: what they need is read before the search begins.
import type { Awaitable } from '../../base/awaitable.ts'
import type { Session } from '../session.ts'
import { someLeaf } from './keys.ts'
import type { Criterion } from './search-key.ts'
import type { SearchScope } from './search-scope.ts'

/** The criterion with such keys in their final form. */
export function loadKeys(session: Session, scope: SearchScope, criterion: Criterion): Awaitable<Criterion> {
  return someLeaf(criterion, key => key.load !== undefined) ? load(session, scope, criterion) : criterion
}

async function load(session: Session, scope: SearchScope, criterion: Criterion): Promise<Criterion> {
  switch (criterion.kind) {
    case 'key':
      return criterion.load ? criterion.load(session, scope) : criterion
    case 'not':
      return { kind: 'not', of: await load(session, scope, criterion.of) }
    default: {
      const of: Criterion[] = []
      for (const one of criterion.of) of.push(await load(session, scope, one))
      return { kind: criterion.kind, of }
    }
  }
}
