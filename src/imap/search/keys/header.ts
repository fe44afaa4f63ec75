// Keys about header fields: HEADER, and those that have keys of their own. RFC 9051 §6.4.4.
import { fuzzyHeader } from './fuzzy.ts'
import type { SearchKey, SearchKeyDefinition } from '../search-key.ts'

/** Matches when a field of that name (Latin-1) holds the folded text; any such field, when the text is empty. */
function headerKey(name: string, needle: string): SearchKey {
  const field = name.toLowerCase()
  return {
    kind: 'key',
    cost: 'header',
    columns: ['blob', 'header_bytes'],
    lookup: { kind: 'header', name: field, needle },
    fuzzy: () => fuzzyHeader(field, needle),
    bind: () => (_index, content) => content.valuesOf(field).some(value => value.includes(needle)),
  }
}

function fieldDefinition(name: string): SearchKeyDefinition {
  return {
    name,
    parse(parser, context) {
      parser.sp()
      return headerKey(name, context.session.comparator.fold(context.decode(parser.astringBytes())))
    },
  }
}

const header: SearchKeyDefinition = {
  name: 'HEADER',
  parse(parser, context) {
    parser.sp()
    const name = parser.astringBytes().toString('latin1')
    parser.sp()
    return headerKey(name, context.session.comparator.fold(context.decode(parser.astringBytes())))
  },
}

export const headerKeys: readonly SearchKeyDefinition[] = [
  fieldDefinition('BCC'),
  fieldDefinition('CC'),
  fieldDefinition('FROM'),
  fieldDefinition('SUBJECT'),
  fieldDefinition('TO'),
  header,
]
