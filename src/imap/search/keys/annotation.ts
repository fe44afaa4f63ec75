// ANNOTATION. RFC 5257 §4.8.
import { parseEntryPattern } from '../../annotation/annotation-list.ts'
import { readAnnotationTexts } from '../../annotation/annotation-texts.ts'
import { bad } from '../../error.ts'
import { parseValue } from '../../metadata.ts'
import type { SearchKey, SearchKeyDefinition } from '../search-key.ts'

const attributes = new Map<string, boolean | undefined>([
  ['value', undefined],
  ['value.priv', false],
  ['value.shared', true],
])

export const annotationKey: SearchKeyDefinition = {
  name: 'ANNOTATION',
  parse(parser, context) {
    parser.sp()
    const entry = parseEntryPattern(parser)
    parser.sp()
    const attribute = parser.astring().toLowerCase()
    if (!attributes.has(attribute)) throw bad('only the values of annotations can be searched')
    const isShared = attributes.get(attribute)
    parser.sp()
    const value = parseValue(parser)
    const { fold } = context.session.comparator
    const needle = value && fold(context.decode(value))
    return {
      kind: 'key',
      cost: 'snapshot',
      async load(session, { view, uids, count }) {
        const matching = new Set<number>()
        const range = [uids[0] ?? 0, uids[Math.max(0, count - 1)] ?? 0] as const
        await readAnnotationTexts(session, view.mailbox, { entry, isShared }, range, (uid, text) => {
          if (needle === null || fold(text).includes(needle)) matching.add(uid)
        })
        // NIL: messages that have no such value.
        return snapshotKey(uid => matching.has(uid) === (needle !== null))
      },
      bind: () => {
        throw new Error('annotations are read before they are asked for')
      },
    }
  },
}

function snapshotKey(test: (uid: number) => boolean): SearchKey {
  return {
    kind: 'key',
    cost: 'snapshot',
    bind:
      ({ uids }) =>
      index =>
        test(uids[index] as number),
  }
}
