// Puts the messages that a search has found in order. RFC 5256 §3 (SORT), §2.2 (sent date).
//
// Each criterion becomes one array of numbers: dates and sizes as they are, texts as their ranks among the distinct texts.
import type { Session } from '../session.ts'
import type { Collation } from '../search/collation.ts'
import { breatheIn } from '../search/evaluate.ts'
import { emailOf, type SearchScope } from '../search/search-scope.ts'
import { type Breathe, breathingSort } from './breathing-sort.ts'
import { collationKey } from './collation-key.ts'
import { type KeyColumn, readKeyColumns } from './email-columns.ts'
import type { SortCriterion, SortSource } from './sort-criterion.ts'

type Numbers = Float64Array | Uint32Array

/** The indexes of `matches` (ascending) in the order of the criteria; those that are equal stay in mailbox order. */
export async function sortMatches(
  session: Session,
  scope: SearchScope,
  matches: Uint32Array,
  criteria: readonly SortCriterion[],
): Promise<Uint32Array> {
  const breathe = () => breatheIn(session)
  const keys = await keysOf(session, scope, matches, criteria, breathe)
  const places = Uint32Array.from(matches, (_index, place) => place)
  const columns = criteria.map(({ source, isReverse }) => ({
    values: keys.get(source) as Numbers,
    sign: isReverse ? -1 : 1,
  }))
  const compare = (a: number, b: number): number => {
    for (const { values, sign } of columns) {
      const difference = (values[a] as number) - (values[b] as number)
      if (difference !== 0) return difference * sign
    }
    return a - b
  }
  await breathingSort(places, compare, breathe)
  return places.map(place => matches[place] as number)
}

/** The values of each source, by place in `matches`. */
async function keysOf(
  session: Session,
  scope: SearchScope,
  matches: Uint32Array,
  criteria: readonly SortCriterion[],
  breathe: Breathe,
): Promise<Map<SortSource, Numbers>> {
  const keys = new Map<SortSource, Numbers>()
  const sources = new Set(criteria.map(({ source }) => source))
  const texts = new Map<SortSource, Texts>()
  const columns: KeyColumn[] = []
  for (const source of sources) {
    if (source.kind === 'arrival') keys.set(source, received(scope, matches))
    else if (source.kind === 'size') keys.set(source, pick(scope.sizes, scope, matches))
    else if (source.kind === 'sent') {
      // RFC 5256 §2.2: INTERNALDATE where there is no sent date.
      keys.set(source, received(scope, matches))
      columns.push('sent_at')
    } else {
      texts.set(source, new Texts(matches.length, session.comparator))
      columns.push(source.column)
    }
  }
  if (columns.length === 0) return keys
  const takers = [...sources].flatMap(source => taker(source, keys, texts) ?? [])
  const { account } = scope.view.mailbox
  const ids = Float64Array.from(matches, index => emailOf(scope, index))
  await readKeyColumns(
    session.store.reader,
    account,
    ids,
    columns,
    (place, values) => {
      for (let at = 0; at < takers.length; at++) takers[at]?.(place, values[at])
    },
    breathe,
  )
  for (const [source, column] of texts) keys.set(source, await column.ranks(breathe))
  return keys
}

type Taker = (place: number, value: unknown) => void

function taker(
  source: SortSource,
  keys: ReadonlyMap<SortSource, Numbers>,
  texts: ReadonlyMap<SortSource, Texts>,
): Taker | undefined {
  if (source.kind === 'sent') {
    const dates = keys.get(source) as Numbers
    return (place, value) => {
      if (value !== null) dates[place] = value as number
    }
  }
  const column = texts.get(source)
  return column && ((place, value) => column.set(place, value as string))
}

function pick(column: Float64Array, { positions }: SearchScope, matches: Uint32Array): Float64Array {
  return Float64Array.from(matches, index => column[positions[index] as number] as number)
}

/** INTERNALDATE, by place. */
export function received(scope: SearchScope, matches: Uint32Array): Float64Array {
  return pick(scope.receivedAts, scope, matches)
}

/** One column of texts: the distinct ones, and which of them each message has. */
export class Texts {
  readonly #numbers = new Map<string, number>()
  readonly #numbersByKey = new Map<string, number>()
  readonly #keys: string[] = []
  readonly #of: Uint32Array
  readonly #collation: Collation | undefined

  /** All texts are empty until they are set. They are compared by i;unicode-casemap unless another collation is given. */
  constructor(count: number, collation?: Collation) {
    this.#collation = collation
    this.#of = new Uint32Array(count)
    this.#number('')
  }

  set(place: number, text: string): void {
    this.#of[place] = this.#numbers.get(text) ?? this.#number(text)
  }

  /** Texts that the collation holds for equal share a number. */
  #number(text: string): number {
    const key = collationKey(text, this.#collation)
    let number = this.#numbersByKey.get(key)
    if (number === undefined) {
      number = this.#keys.length
      this.#keys.push(key)
      this.#numbersByKey.set(key, number)
    }
    this.#numbers.set(text, number)
    return number
  }

  /** The number of each message's text: equal for equal texts, 0 for the empty one. */
  get numbers(): Uint32Array {
    return this.#of
  }

  /** The rank of each message's text among all. */
  async ranks(breathe: Breathe): Promise<Uint32Array> {
    const keys = this.#keys
    const order = Uint32Array.from(keys, (_key, number) => number)
    await breathingSort(order, (a, b) => compareTexts(keys[a] as string, keys[b] as string), breathe)
    const rankOf = new Uint32Array(keys.length)
    for (let rank = 0; rank < order.length; rank++) rankOf[order[rank] as number] = rank
    return this.#of.map(number => rankOf[number] as number)
  }
}

function compareTexts(a: string, b: string): number {
  if (a < b) return -1
  return a > b ? 1 : 0
}
