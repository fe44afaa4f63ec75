// Sets of UIDs as ascending ranges, as mutations take them.
import type { Uid } from '../base/ids.ts'

export type UidRange = readonly [first: number, last: number]
/** Ascending, without overlap. */
export type UidRanges = readonly UidRange[]

const noUids = new Uint32Array(0)

/** UIDs as mutations give them: a list of numbers takes another thread long where they are many. Not to be written to. */
export function uidsInRow(uids: readonly Uid[]): Uint32Array {
  // Most have none, and results that cross together carry this one once.
  return uids.length === 0 ? noUids : Uint32Array.from(uids)
}

/** How many UIDs there are room for. */
export function spanOf(ranges: UidRanges): number {
  let count = 0
  for (const [first, last] of ranges) count += last - first + 1
  return count
}

/** Whether one of the ranges has the UID. */
export function isAmong(ranges: UidRanges, uid: number): boolean {
  let low = 0
  let high = ranges.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if ((ranges[middle] as UidRange)[0] <= uid) low = middle
    else high = middle - 1
  }
  const range = ranges[low]
  return range !== undefined && range[0] <= uid && uid <= range[1]
}

/** The numbers of ranges, ascending. */
export function numbersOf(ranges: UidRanges): number[] {
  const numbers: number[] = []
  for (const [first, last] of ranges) for (let number = first; number <= last; number++) numbers.push(number)
  return numbers
}

/** Ascending numbers as ranges. */
export function rangesOf(numbers: ArrayLike<number>): UidRanges {
  const ranges: [number, number][] = []
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at] as number
    const previous = ranges[ranges.length - 1]
    if (previous && number === previous[1] + 1) previous[1] = number
    else ranges.push([number, number])
  }
  return ranges
}
