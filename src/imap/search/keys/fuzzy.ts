// FUZZY: another key, matched leniently. RFC 6203 §3, §5.
//
// Keys about text find words in any order, near ones too. The others stay exact, as §5 allows.
import { FuzzyMatch, fuzzyWords } from '../../../message/fuzzy-words.ts'
import type { FuzzyQuery } from '../../../store/search/search-index.ts'
import type { MessageContent } from '../message-content.ts'
import type {
  CriterionOf,
  FilterReference,
  FuzzyKey,
  SearchKey,
  SearchKeyDefinition,
  TextNeedle,
  WrittenCriterion,
} from '../search-key.ts'

export const fuzzy: SearchKeyDefinition = {
  name: 'FUZZY',
  parse(parser, context) {
    parser.sp()
    return toFuzzy<SearchKey | FilterReference>(parser.nested((): WrittenCriterion => context.parseKey()))
  },
}

/** The criterion with all its keys matched leniently. */
export function toFuzzy<Leaf extends SearchKey | FilterReference>(
  criterion: CriterionOf<Leaf>,
): CriterionOf<Leaf> {
  switch (criterion.kind) {
    case 'and':
    case 'or':
      return { kind: criterion.kind, of: criterion.of.map(one => toFuzzy(one)) }
    case 'not':
      return { kind: 'not', of: toFuzzy(criterion.of) }
    case 'key':
      return (criterion.fuzzy?.() ?? { ...criterion, isFuzzy: true }) as Leaf
    default:
      return { ...criterion, isFuzzy: true }
  }
}

type Record = (index: number, score: number) => void

/** The fuzzy form of BODY or TEXT; undefined when the text has no words. */
export function fuzzyText(text: string, inHeaders: boolean): FuzzyKey | undefined {
  const words = fuzzyWords(text)
  if (words.length === 0) return undefined
  const lookup: FuzzyQuery = { kind: 'fuzzy', words, within: { kind: 'text', inHeaders } }
  const make = (record?: Record): SearchKey => {
    const needle: TextNeedle = { text, inHeaders, words, isThorough: record !== undefined }
    return {
      kind: 'key',
      cost: 'text',
      columns: ['blob', 'size_bytes', 'header_bytes', 'parts'],
      needle,
      isFuzzy: true,
      bind: () => scoring(content => content.scoreOf(needle), record),
    }
  }
  return { ...make(), lookup, recording: make }
}

/** The fuzzy form of a key about the fields of a name (lower case). */
export function fuzzyHeader(name: string, text: string): FuzzyKey | undefined {
  const words = fuzzyWords(text)
  if (words.length === 0) return undefined
  const lookup: FuzzyQuery = { kind: 'fuzzy', words, within: { kind: 'header', name } }
  const scoreOf = (content: MessageContent) => {
    let best = 0
    for (const value of content.valuesOf(name)) {
      const match = new FuzzyMatch(words)
      match.take(value)
      best = Math.max(best, match.score)
    }
    return best
  }
  const make = (record?: Record): SearchKey => ({
    kind: 'key',
    cost: 'header',
    columns: ['blob', 'header_bytes'],
    isFuzzy: true,
    bind: () => scoring(scoreOf, record),
  })
  return { ...make(), lookup, recording: make }
}

function scoring(scoreOf: (content: MessageContent) => number, record: Record | undefined) {
  return (index: number, content: MessageContent): boolean => {
    const score = scoreOf(content)
    record?.(index, score)
    return score > 0
  }
}
