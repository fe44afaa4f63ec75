// Keys about flags. RFC 9051 §6.4.4; NEW, OLD and RECENT of RFC 3501 §6.4.4.
import { stepsPerBreath } from '../../../base/breathe.ts'
import { lowerBound } from '../../../base/lower-bound.ts'
import { answered, deleted, draft, flagged, keywordShift, seen } from '../../../store/flags.ts'
import { answers } from '../../../store/search/search-index.ts'
import { takeValues } from '../../column-values.ts'
import { bad } from '../../error.ts'
import type { KeyMask, SearchKey, SearchKeyDefinition } from '../search-key.ts'

/** Matches where the flags have the bit `flag`, or have it not. */
export function flagKey(flag: number, isWanted: boolean): SearchKey {
  return {
    kind: 'key',
    cost: 'snapshot',
    bind({ snapshot: { flags }, positions }) {
      return index => ((flags.at(positions[index] as number) & flag) !== 0) === isWanted
    },
    mask: flagMask(flag, isWanted),
  }
}

/** For one stretch at a time: new memory for each costs more than the work itself. */
const values = new Uint32Array(stepsPerBreath)

function flagMask(flag: number, isWanted: boolean): KeyMask {
  const { no, yes } = answers
  const shift = 31 - Math.clz32(flag)
  const unwanted = isWanted ? 0 : 1
  return ({ snapshot, positions }, found, from, to) => {
    const { flags } = snapshot
    for (let index = from; index < to; ) {
      const first = positions[index] as number
      const { some, every, until } = snapshot.flagsAround(first)
      const most = Math.min(index + until - first, index + values.length, to)
      const end = lowerBound(positions, until, index, most)
      // Often all have what is asked about, or none.
      if ((some & flag) === (every & flag))
        found.fill(((some & flag) !== 0) === isWanted ? yes : no, index, end)
      else {
        takeValues(flags, positions, index, end, values)
        // Without a branch, which a processor would often guess wrong.
        for (let at = index; at < end; at++)
          found[at] = yes * ((((values[at - index] as number) >>> shift) & 1) ^ unwanted)
      }
      index = end
    }
  }
}

function pair(name: string, bit: number): SearchKeyDefinition[] {
  return [
    { name, parse: () => flagKey(bit, true) },
    { name: `UN${name}`, parse: () => flagKey(bit, false) },
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
    kind: 'key',
    cost: 'snapshot',
    bind: () => () => true,
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
  rev1Only('NEW', () => ({ kind: 'and', of: [recentKey, flagKey(seen, false)] })),
]
