// EMAILID and THREADID. RFC 8474 §6.
import type { EmailId, ThreadId } from '../../../base/ids.ts'
import { bad } from '../../error.ts'
import type { Parser } from '../../input/parser.ts'
import { emailId, threadId } from '../../object-id.ts'
import type { SearchKeyDefinition } from '../search-key.ts'

const emailIdKey: SearchKeyDefinition = {
  name: 'EMAILID',
  parse(parser) {
    const wanted = rowId(parser, id => emailId(id as EmailId))
    return {
      kind: 'key',
      cost: 'snapshot',
      bind:
        ({ emails, positions }) =>
        index =>
          emails[positions[index] as number] === wanted,
    }
  },
}

const threadIdKey: SearchKeyDefinition = {
  name: 'THREADID',
  parse(parser) {
    const wanted = rowId(parser, id => threadId(id as ThreadId))
    return {
      kind: 'key',
      cost: 'column',
      compares: ['thread'],
      bind({ columns }) {
        const threads = columns.get('thread') as Float64Array
        return index => threads[index] === wanted
      },
    }
  },
}

export const objectIdKeys: readonly SearchKeyDefinition[] = [emailIdKey, threadIdKey]

/** Reads an object id: the number in it, NaN (which equals nothing) for one that we never gave out. */
function rowId(parser: Parser, format: (id: number) => string): number {
  parser.sp()
  const text = parser.atom()
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(text)) throw bad('an object id has letters, digits, "-" and "_" only')
  const id = Number(text.slice(1))
  return Number.isSafeInteger(id) && format(id) === text ? id : Number.NaN
}
