// EMAILID and THREADID. RFC 8474 §6.
import { bad } from '../../error.ts'
import type { MailboxView } from '../../mailbox-view.ts'
import { parseObjectId } from '../../object-id.ts'
import type { Parser } from '../../input/parser.ts'
import type { SearchKeyDefinition } from '../search-key.ts'

const emailIdKey: SearchKeyDefinition = {
  name: 'EMAILID',
  parse(parser) {
    const wanted = objectId(parser, 'E')
    return {
      kind: 'key',
      cost: 'snapshot',
      bind({ snapshot: { emails }, positions, view }) {
        const id = wanted(view)
        return index => emails.at(positions[index] as number) === id
      },
    }
  },
}

const threadIdKey: SearchKeyDefinition = {
  name: 'THREADID',
  parse(parser) {
    const wanted = objectId(parser, 'T')
    return {
      kind: 'key',
      cost: 'column',
      compares: ['thread'],
      bind({ columns, view }) {
        const threads = columns.get('thread') as Float64Array
        const id = wanted(view)
        return index => threads[index] === id
      },
    }
  },
}

export const objectIdKeys: readonly SearchKeyDefinition[] = [emailIdKey, threadIdKey]

/** Reads an object id. Gives the number that it stands for in a mailbox. */
function objectId(parser: Parser, letter: 'E' | 'T'): (view: MailboxView) => number {
  parser.sp()
  const text = parser.atom()
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(text)) throw bad('an object id has letters, digits, "-" and "_" only')
  return ({ foreignOwner }) => parseObjectId(text, letter, foreignOwner)
}
