// The mark of a store that is being filled from another one (`move-store.ts`): until that has ended nobody opens it for anything else.
import { StoreError } from './error.ts'

/** The row of `secret` that is there meanwhile; its value is the id of the other store. */
export const fillingMark = 'filling-from'

export const fillingSql = `SELECT value FROM secret WHERE name = '${fillingMark}'`

/** What a store with the mark is refused with. */
export function unfinished(): StoreError {
  return new StoreError(
    'unavailable',
    'this store is being filled by restante migrate: run that to its end, or begin with an empty one',
  )
}
