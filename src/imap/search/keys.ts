// The table of SEARCH keys, and the reader of criteria. RFC 9051 §6.4.4, §9 (search-key).
import { limits } from '../../base/limits.ts'
import { bad } from '../error.ts'
import { Parser } from '../input/parser.ts'
import { annotationKey } from './keys/annotation.ts'
import { dateKeys } from './keys/dates.ts'
import { all, keywordKeys, recentKeys, systemFlagKeys } from './keys/flags.ts'
import { filter } from './keys/filter.ts'
import { gmailKeys } from './keys/gmail.ts'
import { fuzzy } from './keys/fuzzy.ts'
import { headerKeys } from './keys/header.ts'
import { logicKeys } from './keys/logic.ts'
import { modSeq, numberSet, sizeKeys, uid } from './keys/numbers.ts'
import { objectIdKeys } from './keys/object-ids.ts'
import { textKeys } from './keys/text.ts'
import { uidOrderKeys } from './keys/uid-order.ts'
import type { CriterionOf, SearchContext, SearchKeyDefinition, WrittenCriterion } from './search-key.ts'

export const searchKeys: readonly SearchKeyDefinition[] = [
  all,
  ...systemFlagKeys,
  ...keywordKeys,
  ...recentKeys,
  ...dateKeys,
  uid,
  ...uidOrderKeys,
  ...sizeKeys,
  modSeq,
  ...objectIdKeys,
  ...headerKeys,
  ...textKeys,
  ...logicKeys,
  filter,
  annotationKey,
  ...gmailKeys,
  fuzzy,
]

const byName = new Map(searchKeys.map(key => [key.name, key]))

/** Reads `key *(SP key)` to the end of the command: all of them must match. Throws BAD. */
export function parseCriteria(
  parser: Parser,
  context: Omit<SearchContext, 'parseKey' | 'parseWithin' | 'countKey'>,
): WrittenCriterion {
  let count = 0
  const countKey = () => {
    if (++count > limits.imap.searchKeys) throw bad('that are too many keys for one SEARCH', 'TOOBIG')
  }
  const readAll = (from: Parser, decode: SearchContext['decode']): WrittenCriterion => {
    const full: SearchContext = {
      ...context,
      decode,
      countKey,
      parseKey: () => readKey(from, full),
      parseWithin: text => readAll(parserOf(text), bytes => bytes.toString()),
    }
    const of = [readKey(from, full)]
    while (from.moreAfterSpace()) of.push(readKey(from, full))
    return { kind: 'and', of }
  }
  return readAll(parser, context.decode)
}

function readKey(parser: Parser, context: SearchContext): WrittenCriterion {
  context.countKey()
  if (parser.isListNext) {
    const of = parser.list(() => readKey(parser, context))
    if (of.length === 0) throw bad('a list of keys is empty')
    return { kind: 'and', of }
  }
  if (parser.isSequenceSetNext) return numberSet(parser.sequenceSet())
  const definition = byName.get(parser.keyword())
  if (!definition) throw bad('there is no such SEARCH key')
  return definition.parse(parser, context)
}

function parserOf(text: string): Parser {
  return new Parser({ pieces: [{ text: Buffer.from(text), literal: undefined }] })
}

/** Whether any leaf of the criterion is so. */
export function someLeaf<Leaf extends { readonly kind: 'key' | 'filter' }>(
  criterion: CriterionOf<Leaf>,
  is: (leaf: Leaf) => boolean,
): boolean {
  switch (criterion.kind) {
    case 'and':
    case 'or':
      return criterion.of.some(one => someLeaf(one, is))
    case 'not':
      return someLeaf(criterion.of, is)
    default:
      return is(criterion)
  }
}
