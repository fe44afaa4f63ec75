// NOT and OR. RFC 9051 §6.4.4.
import type { SearchKeyDefinition, WrittenCriterion } from '../search-key.ts'

const not: SearchKeyDefinition = {
  name: 'NOT',
  parse(parser, context) {
    parser.sp()
    return { kind: 'not', of: parser.nested(() => context.parseKey()) }
  },
}

const or: SearchKeyDefinition = {
  name: 'OR',
  parse(parser, context) {
    const of: WrittenCriterion[] = []
    // `OR a OR b OR c d`, as programs write a choice of many, is one OR and no deep tree.
    do {
      parser.sp()
      of.push(parser.nested(() => context.parseKey()))
      parser.sp()
    } while (parser.takeKeyword('OR'))
    of.push(parser.nested(() => context.parseKey()))
    return { kind: 'or', of }
  },
}

export const logicKeys: readonly SearchKeyDefinition[] = [not, or]
