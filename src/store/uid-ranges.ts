// Sets of UIDs as ascending ranges, as mutations take them.

export type UidRange = readonly [first: number, last: number]
/** Ascending, without overlap. */
export type UidRanges = readonly UidRange[]

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
