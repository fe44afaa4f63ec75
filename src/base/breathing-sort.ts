// A stable sort that lets others run now and then: an event loop must not stand still while one client's mailbox is sorted.
import type { Breathe } from './breathe.ts'

/** Runs of this length are sorted at once. */
const runLength = 1024

/** Sorts `items` in place by `compare`; equal ones stay in their order. Merge sort: n log n comparisons whatever the input. */
export async function breathingSort(
  items: Uint32Array,
  compare: (a: number, b: number) => number,
  breathe: Breathe,
): Promise<void> {
  const { length } = items
  for (let from = 0; from < length; from += runLength) {
    const run = items.subarray(from, from + runLength)
    if (!isInOrder(run, compare)) run.sort(compare)
    const breath = breathe()
    if (breath !== undefined) await breath
  }
  if (length <= runLength) return
  let source: Uint32Array = items
  let target: Uint32Array = new Uint32Array(length)
  for (let width = runLength; width < length; width *= 2) {
    for (let from = 0; from < length; from += 2 * width) {
      await merge(
        source,
        target,
        { from, middle: Math.min(from + width, length), to: Math.min(from + 2 * width, length) },
        compare,
        breathe,
      )
    }
    const swap = source
    source = target
    target = swap
  }
  if (source !== items) items.set(source)
}

function isInOrder(run: Uint32Array, compare: (a: number, b: number) => number): boolean {
  for (let at = 1; at < run.length; at++)
    if (compare(run[at - 1] as number, run[at] as number) > 0) return false
  return true
}

interface Halves {
  readonly from: number
  readonly middle: number
  readonly to: number
}

async function merge(
  source: Uint32Array,
  target: Uint32Array,
  { from, middle, to }: Halves,
  compare: (a: number, b: number) => number,
  breathe: Breathe,
): Promise<void> {
  // Mail arrives mostly in the order that is asked for.
  if (middle >= to || compare(source[middle - 1] as number, source[middle] as number) <= 0) {
    target.set(source.subarray(from, to), from)
    return
  }
  let left = from
  let right = middle
  for (let at = from; at < to; ) {
    const end = Math.min(at + runLength, to)
    for (; at < end; at++) {
      const takesLeft =
        right >= to || (left < middle && compare(source[left] as number, source[right] as number) <= 0)
      target[at] = source[takesLeft ? left++ : right++] as number
    }
    const breath = breathe()
    if (breath !== undefined) await breath
  }
}
