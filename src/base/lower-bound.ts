// Binary search.

/** The first index in `[from, to)` whose value is not below `value`; `to` when there is none. The values ascend. */
export function lowerBound(values: ArrayLike<number>, value: number, from: number, to: number): number {
  let low = from
  let high = to
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
