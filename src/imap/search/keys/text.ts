// BODY and TEXT: exact substrings of the decoded text. RFC 9051 §6.4.4.
import { fuzzyText } from './fuzzy.ts'
import type { SearchKeyDefinition, TextNeedle } from '../search-key.ts'

function textDefinition(name: string, inHeaders: boolean): SearchKeyDefinition {
  return {
    name,
    parse(parser, context) {
      parser.sp()
      const needle: TextNeedle = {
        text: context.session.comparator.fold(context.decode(parser.astringBytes())),
        inHeaders,
      }
      return {
        kind: 'key',
        cost: 'text',
        columns: ['blob', 'size_bytes', 'header_bytes', 'parts'],
        needle,
        fuzzy: () => fuzzyText(needle.text, inHeaders),
        lookup: { kind: 'text', needle: needle.text, inHeaders },
        bind: () => (_index, content) => content.has(needle),
      }
    },
  }
}

export const textKeys: readonly SearchKeyDefinition[] = [
  textDefinition('BODY', false),
  textDefinition('TEXT', true),
]
