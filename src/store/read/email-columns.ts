// Columns of `email` for many messages at once: what SEARCH, SORT and THREAD compare by.
//
// Rows come as arrays and only with the columns that are asked for. Where most ids of a stretch are wanted it is read as a range.
import type { Awaitable } from '../../base/awaitable.ts'
import { type Breathe, inStretches } from '../../base/breathe.ts'
import { breathingSort } from '../../base/breathing-sort.ts'
import type { AccountId } from '../../base/ids.ts'
import type { Reader } from '../store.ts'

/** Text columns. */
export const textColumns = [
  'base_subject',
  'sort_from',
  'sort_to',
  'sort_cc',
  'display_from',
  'display_to',
  'message_id',
  'reference_ids',
] as const
export type TextColumn = (typeof textColumns)[number]

/** Columns of numbers, some of which may be null. */
export type NumberColumn = 'sent_at' | 'sent_zone_minutes' | 'thread' | 'is_reply'

export type KeyColumn = TextColumn | NumberColumn

export type KeyValue = string | number | null

/** Rows of one read: they take about a millisecond. */
const rangeRows = 512
/** Ids of one list, for those that lie far apart; shorter lists repeat their last id, so that one statement serves all. */
const listIds = 64
/** A range may be this many times as long as what is wanted of it. */
const maxSparseness = 3

/**
 * Calls `take` once for each id that is there, with its place in `ids` and the values of `columns`; in ascending order of ids, not of places. Several
 * places may have one id. What `take` promises is awaited.
 */
export async function readKeyColumns(
  reader: Reader,
  account: AccountId,
  ids: Float64Array,
  columns: readonly KeyColumn[],
  take: (place: number, values: readonly KeyValue[]) => Awaitable<void>,
  breathe: Breathe,
): Promise<void> {
  if (ids.length === 0) return
  const places = await placesById(ids, breathe)
  const idAt = (at: number) => ids[places[at] as number] as number
  const select = `SELECT ${[...columns, 'id'].join(', ')} FROM email WHERE account = ? AND id`
  const range = `${select} BETWEEN ? AND ? ORDER BY id`
  const list = `${select} IN (${new Array<string>(listIds).fill('?').join(', ')}) ORDER BY id`
  for (let from = 0; from < places.length; ) {
    let to = Math.min(from + rangeRows, places.length)
    const isDense = idAt(to - 1) - idAt(from) < (to - from) * maxSparseness
    if (!isDense) to = Math.min(from + listIds, places.length)
    const rows = isDense
      ? await reader.arrays<readonly KeyValue[]>(range, account, idAt(from), idAt(to - 1))
      : await reader.arrays<readonly KeyValue[]>(list, account, ...listOf(from, to, idAt))
    let at = from
    for (const row of rows) {
      const id = row[columns.length] as number
      while (at < to && idAt(at) < id) at++
      for (; at < to && idAt(at) === id; at++) {
        const pending = take(places[at] as number, row)
        if (pending !== undefined) await pending
      }
    }
    // One id may stand on both sides of a cut.
    from = to
    const breath = breathe()
    if (breath !== undefined) await breath
  }
}

/** The places in `ids`, ordered by id. Mail is stored in ascending order, so mostly there is nothing to do. */
async function placesById(ids: Float64Array, breathe: Breathe): Promise<Uint32Array> {
  const places = new Uint32Array(ids.length)
  let isInOrder = true
  await inStretches(ids.length, breathe, (from, to) => {
    for (let at = from; at < to; at++) {
      places[at] = at
      if (at > 0 && (ids[at] as number) < (ids[at - 1] as number)) isInOrder = false
    }
  })
  if (!isInOrder) await breathingSort(places, (a, b) => (ids[a] as number) - (ids[b] as number), breathe)
  return places
}

function listOf(from: number, to: number, idAt: (at: number) => number): number[] {
  return Array.from({ length: listIds }, (_unused, at) => idAt(Math.min(from + at, to - 1)))
}
