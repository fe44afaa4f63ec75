// Puts the messages that a search has found in order. RFC 5256 §3 (SORT), §2.2 (sent date).
//
// Each criterion becomes one array of numbers: dates and sizes as they are, texts as their ranks among the distinct texts. The last criterion is sorted by
// first; each sort keeps the order of what it holds for equal.
import { numbersBelow, type Breathe, inStretches, valuesAt } from '../../base/breathe.ts'
import type { KeyColumn } from '../../store/read/email-columns.ts'
import type { EmailColumns } from '../../store/email-columns.ts'
import { TextSet } from '../../store/text-set.ts'
import { pickValues } from '../column-values.ts'
import { readAnnotationTexts } from '../annotation/annotation-texts.ts'
import type { Collation } from '../search/collation.ts'
import { breatheIn } from '../breaths.ts'
import { emailsOf, type SearchScope } from '../search/search-scope.ts'
import type { Session } from '../session.ts'
import { breathingSort } from '../../base/breathing-sort.ts'
import type { AnnotationSource, SortCriterion, SortSource } from './sort-criterion.ts'

/** Ranks, or other numbers. */
type Numbers = Float64Array | Uint32Array

/** The indexes of `matches` (ascending) in the order of the criteria; those that are equal stay in mailbox order. `relevancy`: by index. */
export async function sortMatches(
  session: Session,
  scope: SearchScope,
  matches: Uint32Array,
  criteria: readonly SortCriterion[],
  relevancy?: Uint8Array,
): Promise<Uint32Array> {
  const what = nameOf(criteria, session.comparator)
  return session.context.orders.order(scope, matches, what, () =>
    sortAnew(session, scope, matches, criteria, relevancy),
  )
}

/** Undefined where the order hangs on more than which messages there are. */
function nameOf(criteria: readonly SortCriterion[], comparator: Collation): string | undefined {
  const names = ['SORT', comparator.name]
  for (const { source, isReverse } of criteria) {
    if (source.kind === 'relevancy' || source.kind === 'annotation') return undefined
    names.push(`${isReverse ? '-' : '+'}${source.kind === 'text' ? source.column : source.kind}`)
  }
  return names.join(' ')
}

async function sortAnew(
  session: Session,
  scope: SearchScope,
  matches: Uint32Array,
  criteria: readonly SortCriterion[],
  relevancy: Uint8Array | undefined,
): Promise<Uint32Array> {
  const breathe = () => breatheIn(session)
  const { account } = scope.view.mailbox
  const names = [...new Set(criteria.flatMap(({ source }) => columnOf(source) ?? []))]
  const emails = await emailsOf(scope, matches, breathe)
  const loaded = await session.store.emailColumns.load(account, emails, names, breathe)
  let places = await numbersBelow(matches.length, breathe)
  for (const { source, isReverse } of criteria.toReversed()) {
    const values =
      source.kind === 'relevancy'
        ? await lackOf(relevancy, matches, breathe)
        : await valuesOf(session, scope, matches, source, loaded, breathe)
    if (values instanceof Uint32Array) places = await sortByRank(places, values, isReverse, breathe)
    else if (isReverse)
      await breathingSort(places, (a, b) => (values[b] as number) - (values[a] as number), breathe)
    else await breathingSort(places, (a, b) => (values[a] as number) - (values[b] as number), breathe)
  }
  return valuesAt(matches, places, breathe)
}

/** The column of emails that a criterion compares; undefined where the snapshot has it. */
export function columnOf(source: SortSource): KeyColumn | undefined {
  if (source.kind === 'text') return source.column
  return source.kind === 'sent' ? 'sent_at' : undefined
}

/** What a criterion compares, by place in `matches`. */
async function valuesOf(
  session: Session,
  scope: SearchScope,
  matches: Uint32Array,
  source: Exclude<SortSource, { kind: 'relevancy' }>,
  loaded: EmailColumns,
  breathe: Breathe,
): Promise<Numbers> {
  switch (source.kind) {
    case 'arrival':
      return received(scope, matches, breathe)
    case 'size':
      return pickValues(scope.snapshot.sizes, scope.positions, matches, breathe)
    case 'sent':
      return sentDates(loaded, await received(scope, matches, breathe), breathe)
    case 'text': {
      const { numbers, set } = loaded.texts(source.column)
      const ranks = await set.ranks(session.comparator, breathe)
      return valuesAt(ranks, numbers, breathe)
    }
    case 'annotation': {
      const { numbers, set } = await readAnnotations(session, scope, matches, source)
      const ranks = await set.ranks(session.comparator, breathe)
      return valuesAt(ranks, numbers, breathe)
    }
  }
}

/** The values of an annotation, by place in `matches`; empty where it is not there (RFC 5257 §4.9). */
async function readAnnotations(
  session: Session,
  { uids, view }: SearchScope,
  matches: Uint32Array,
  source: AnnotationSource,
): Promise<{ readonly numbers: Uint32Array; readonly set: TextSet }> {
  const numbers = new Uint32Array(matches.length)
  const set = new TextSet()
  const places = new Map(Array.from(matches, (index, place) => [uids[index] as number, place]))
  const range = [uids[matches[0] ?? 0] ?? 0, uids[matches.at(-1) ?? 0] ?? 0] as const
  await readAnnotationTexts(session, view.mailbox, source, range, (uid, text) => {
    const place = places.get(uid)
    if (place !== undefined) numbers[place] = set.add(text)
  })
  return { numbers, set }
}

/** RFC 6203 §6: the most relevant comes first. */
async function lackOf(
  relevancy: Uint8Array | undefined,
  matches: Uint32Array,
  breathe: Breathe,
): Promise<Uint32Array> {
  const lacks = new Uint32Array(matches.length)
  await inStretches(lacks.length, breathe, (from, to) => {
    for (let place = from; place < to; place++)
      lacks[place] = 100 - (relevancy?.[matches[place] as number] ?? 0)
  })
  return lacks
}

/** RFC 5256 §2.2: INTERNALDATE where there is no sent date. */
export async function sentDates(
  loaded: EmailColumns,
  receivedAts: Float64Array,
  breathe: Breathe,
): Promise<Float64Array> {
  const sent = loaded.numbers('sent_at')
  await inStretches(sent.length, breathe, (from, to) => {
    for (let place = from; place < to; place++)
      if (Number.isNaN(sent[place])) sent[place] = receivedAts[place] as number
  })
  return sent
}

/** Counts how many have each rank, and so knows where each begins. */
async function sortByRank(
  places: Uint32Array<ArrayBuffer>,
  ranks: Uint32Array,
  isReverse: boolean,
  breathe: Breathe,
): Promise<Uint32Array<ArrayBuffer>> {
  const { length } = places
  let highest = 0
  await inStretches(length, breathe, (from, to) => {
    for (let place = from; place < to; place++)
      if ((ranks[place] as number) > highest) highest = ranks[place] as number
  })
  const starts = new Uint32Array(highest + 2)
  const slotOf = (place: number) =>
    isReverse ? highest - (ranks[place] as number) : (ranks[place] as number)
  await inStretches(length, breathe, (from, to) => {
    for (let place = from; place < to; place++) {
      const slot = slotOf(place) + 1
      starts[slot] = (starts[slot] as number) + 1
    }
  })
  await inStretches(highest + 1, breathe, (from, to) => {
    for (let slot = from; slot < to; slot++)
      starts[slot + 1] = (starts[slot + 1] as number) + (starts[slot] as number)
  })
  const sorted = new Uint32Array(length)
  await inStretches(length, breathe, (from, to) => {
    for (let order = from; order < to; order++) {
      const place = places[order] as number
      const slot = slotOf(place)
      const at = starts[slot] as number
      sorted[at] = place
      starts[slot] = at + 1
    }
  })
  return sorted
}

/** INTERNALDATE, by place. */
export function received(scope: SearchScope, matches: Uint32Array, breathe: Breathe): Promise<Float64Array> {
  return pickValues(scope.snapshot.receivedAts, scope.positions, matches, breathe)
}
