// Keys about dates: INTERNALDATE, Date and SAVEDATE. RFC 9051 §6.4.4; RFC 8514 §4.3; OLDER and YOUNGER of RFC 5032.
//
// Days are compared "disregarding time and timezone": INTERNALDATE and SAVEDATE as FETCH shows them, in UTC; Date as it is written.
import { stepsPerBreath } from '../../../base/breathe.ts'
import type { MailboxSnapshot, SnapshotColumn } from '../../../store/mailbox-snapshot.ts'
import { answers } from '../../../store/search/search-index.ts'
import { takeValues } from '../../column-values.ts'
import { utcMs } from '../../input/parser.ts'
import type { SearchKey, SearchKeyDefinition } from '../search-key.ts'

const { no, yes } = answers
const dayMs = 86_400_000
const minuteMs = 60_000

/** `[first, last)` in milliseconds since 1970. */
interface Interval {
  readonly first: number
  readonly last: number
}

/** A key with a day as argument. */
function dayKey(
  name: string,
  interval: (dayStart: number) => Interval,
  key: (interval: Interval) => SearchKey,
): SearchKeyDefinition {
  return {
    name,
    parse(parser) {
      parser.sp()
      return key(interval(utcMs(parser.date())))
    },
  }
}

function family(prefix: string, key: (interval: Interval) => SearchKey): readonly SearchKeyDefinition[] {
  return [
    dayKey(`${prefix}BEFORE`, first => ({ first: -Infinity, last: first }), key),
    dayKey(`${prefix}ON`, first => ({ first, last: first + dayMs }), key),
    dayKey(`${prefix}SINCE`, first => ({ first, last: Infinity }), key),
  ]
}

/** For one stretch at a time: new memory for each costs more than the work itself. */
const values = new Float64Array(stepsPerBreath)

function momentKey(
  column: (snapshot: MailboxSnapshot) => SnapshotColumn,
  { first, last }: Interval,
): SearchKey {
  return {
    kind: 'key',
    cost: 'snapshot',
    bind(scope) {
      const moments = column(scope.snapshot)
      const { positions } = scope
      return index => {
        const moment = moments.at(positions[index] as number)
        return moment >= first && moment < last
      }
    },
    mask(scope, found, from, to) {
      const moments = column(scope.snapshot)
      for (let start = from; start < to; start += values.length) {
        const end = Math.min(start + values.length, to)
        takeValues(moments, scope.positions, start, end, values)
        for (let index = start; index < end; index++) {
          const moment = values[index - start] as number
          found[index] = moment >= first && moment < last ? yes : no
        }
      }
    },
  }
}

/** Messages that were received in an interval, which may depend on when the command began. */
export function receivedKey(interval: (nowMs: number) => Interval): SearchKey {
  return {
    kind: 'key',
    cost: 'snapshot',
    bind: scope => momentKey(({ receivedAts }) => receivedAts, interval(scope.nowMs)).bind(scope),
  }
}

/** By the Date field's clock as if it were UTC. A message without such a field was sent on no day. */
function sentKey({ first, last }: Interval): SearchKey {
  return {
    kind: 'key',
    cost: 'column',
    compares: ['sent_at', 'sent_zone_minutes'],
    bind({ columns }) {
      const moments = columns.get('sent_at') as Float64Array
      const zones = columns.get('sent_zone_minutes') as Float64Array
      return index => {
        const day = (moments[index] as number) + (zones[index] as number) * minuteMs
        return day >= first && day < last
      }
    },
    mask({ columns }, found, from, to) {
      const moments = columns.get('sent_at') as Float64Array
      const zones = columns.get('sent_zone_minutes') as Float64Array
      for (let index = from; index < to; index++) {
        const day = (moments[index] as number) + (zones[index] as number) * minuteMs
        found[index] = day >= first && day < last ? yes : no
      }
    },
  }
}

const saveDateSupported: SearchKeyDefinition = {
  name: 'SAVEDATESUPPORTED',
  parse: () => ({ kind: 'key', cost: 'snapshot', bind: () => () => true }),
}

function ageKey(name: string, isYounger: boolean): SearchKeyDefinition {
  return {
    name,
    parse(parser) {
      parser.sp()
      const seconds = parser.nzNumber()
      return {
        kind: 'key',
        cost: 'snapshot',
        bind({ snapshot: { receivedAts }, positions, nowMs }) {
          // RFC 5032 §2: exact to the second, and equal matches both.
          const target = Math.floor(nowMs / 1000) - seconds
          return index => {
            const received = Math.floor(receivedAts.at(positions[index] as number) / 1000)
            return isYounger ? received >= target : received <= target
          }
        },
      }
    },
  }
}

export const dateKeys: readonly SearchKeyDefinition[] = [
  ...family('', interval => momentKey(({ receivedAts }) => receivedAts, interval)),
  ...family('SENT', sentKey),
  ...family('SAVED', interval => momentKey(({ savedAts }) => savedAts, interval)),
  saveDateSupported,
  ageKey('OLDER', false),
  ageKey('YOUNGER', true),
]
