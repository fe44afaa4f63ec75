// Gmail's keys: X-GM-MSGID, X-GM-THRID, X-GM-LABELS and X-GM-RAW. X-GM-EXT-1, from knowledge of it.
import type { Parser } from '../../input/parser.ts'
import { parseGmailId } from '../../object-id.ts'
import { isLabelled, type Label, parseLabel } from '../../gmail/labels.ts'
import { parseRawSearch } from '../../gmail/raw-search.ts'
import { labelKey } from '../../gmail/label-key.ts'
import type { SearchKeyDefinition } from '../search-key.ts'

const messageIdKey: SearchKeyDefinition = {
  name: 'X-GM-MSGID',
  parse(parser) {
    const wanted = rowId(parser)
    return {
      kind: 'key',
      cost: 'snapshot',
      bind({ snapshot: { emails }, positions, view }) {
        const id = parseGmailId(wanted, view.foreignOwner)
        return index => emails.at(positions[index] as number) === id
      },
    }
  },
}

const threadIdKey: SearchKeyDefinition = {
  name: 'X-GM-THRID',
  parse(parser) {
    const wanted = rowId(parser)
    return {
      kind: 'key',
      cost: 'column',
      compares: ['thread'],
      bind({ columns, view }) {
        const threads = columns.get('thread') as Float64Array
        const id = parseGmailId(wanted, view.foreignOwner)
        return index => threads[index] === id
      },
    }
  },
}

const labelsKey: SearchKeyDefinition = {
  name: 'X-GM-LABELS',
  parse(parser, { session }) {
    parser.sp()
    const label: Label = parseLabel(parser, session)
    return labelKey(label, session, place => label.kind !== 'flag' && isLabelled(place, label))
  },
}

const rawKey: SearchKeyDefinition = {
  name: 'X-GM-RAW',
  parse(parser, context) {
    parser.sp()
    return parseRawSearch(context.decode(parser.astringBytes()), context)
  },
}

export const gmailKeys: readonly SearchKeyDefinition[] = [messageIdKey, threadIdKey, labelsKey, rawKey]

/** 64 bits unsigned, as Gmail's are; what is larger matches nothing. */
function rowId(parser: Parser): bigint {
  parser.sp()
  return BigInt(parser.digits(20))
}
