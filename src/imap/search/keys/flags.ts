// Keys about flags. RFC 9051 §6.4.4; NEW, OLD and RECENT of RFC 3501 §6.4.4.
import { stepsPerBreath } from '../../../base/breathe.ts'
import { lowerBound } from '../../../base/lower-bound.ts'
import { answered, deleted, draft, flagged, keywordShift, seen } from '../../../store/flags.ts'
import { answers } from '../../../store/search/search-index.ts'
import { takeValues } from '../../column-values.ts'
import { bad } from '../../error.ts'
import type { KeyMask, SearchKey, SearchKeyDefinition } from '../search-key.ts'

/** Matches where `bits` of the flags are `value`. */
export function flagKey(bits: number, value: number): SearchKey {
  return {
    kind: 'key',
    cost: 'snapshot',
    bind({ snapshot: { flags }, positions }) {
      return index => (flags.at(positions[index] as number) & bits) === value
    },
    mask: flagMask(bits, value),
  }
}

/** For one stretch at a time: new memory for each costs more than the work itself. */
const values = new Uint32Array(stepsPerBreath)

function flagMask(bits: number, value: number): KeyMask {
  const { no, yes } = answers
  return ({ snapshot, positions }, found, from, to) => {
    const { flags } = snapshot
    for (let index = from; index < to; ) {
      const first = positions[index] as number
      const { some, every, until } = snapshot.flagsAround(first)
      const most = Math.min(index + until - first, index + values.length, to)
      const end = lowerBound(positions, until, index, most)
      // Often all have what is asked about, or none.
      if ((some & bits) === (every & bits)) found.fill((some & bits) === value ? yes : no, index, end)
      else {
        takeValues(flags, positions, index, end, values)
        for (let at = index; at < end; at++)
          found[at] = ((values[at - index] as number) & bits) === value ? yes : no
      }
      index = end
    }
  }
}

function pair(name: string, bit: number): SearchKeyDefinition[] {
  return [
    { name, parse: () => flagKey(bit, bit) },
    { name: `UN${name}`, parse: () => flagKey(bit, 0) },
  ]
}

export const systemFlagKeys: readonly SearchKeyDefinition[] = [
  ...pair('ANSWERED', answered),
  ...pair('DELETED', deleted),
  ...pair('DRAFT', draft),
  ...pair('FLAGGED', flagged),
  ...pair('SEEN', seen),
]

export const all: SearchKeyDefinition = {
  name: 'ALL',
  parse: () => ({
    ...flagKey(0, 0),
    mask: (_scope, found, from, to) => void found.fill(answers.yes, from, to),
  }),
}

/** Matches messages with the keyword, or without it; keywords are compared without regard to case (RFC 9051 §2.3.2). */
export function keywordKey(keyword: string, isWanted: boolean): SearchKey {
  const wanted = keyword.toLowerCase()
  return {
    kind: 'key',
    cost: 'snapshot',
    bind({ positions, snapshot }) {
      const { flags } = snapshot
      const answers = new Map<number, boolean>()
      return index => {
        const value = flags.at(positions[index] as number)
        const set = value >>> keywordShift
        let answer = answers.get(set)
        if (answer === undefined) {
          answer = snapshot.keywordsOf(value).some(name => name.toLowerCase() === wanted) === isWanted
          answers.set(set, answer)
        }
        return answer
      }
    },
  }
}

function keywordDefinition(name: string, isWanted: boolean): SearchKeyDefinition {
  return {
    name,
    parse(parser) {
      parser.sp()
      return keywordKey(parser.atom(), isWanted)
    },
  }
}

export const keywordKeys: readonly SearchKeyDefinition[] = [
  keywordDefinition('KEYWORD', true),
  keywordDefinition('UNKEYWORD', false),
]

const recentKey: SearchKey = {
  kind: 'key',
  cost: 'snapshot',
  bind({ uids, view }) {
    return index => view.isRecent(uids[index] as number)
  },
}

function rev1Only(name: string, key: SearchKeyDefinition['parse']): SearchKeyDefinition {
  return {
    name,
    parse(parser, context) {
      // RFC 9051 appendix E.
      if (context.session.has('IMAP4REV2')) throw bad(`IMAP4rev2 has no ${name}`)
      return key(parser, context)
    },
  }
}

export const recentKeys: readonly SearchKeyDefinition[] = [
  rev1Only('RECENT', () => recentKey),
  rev1Only('OLD', () => ({ kind: 'not', of: recentKey })),
  rev1Only('NEW', () => ({ kind: 'and', of: [recentKey, flagKey(seen, 0)] })),
]
