// Puts texts in the order of their octets. Merge sort that knows how much each text has in common with the one before it, and so looks at most octets once: where many
// texts begin alike, as subjects do, comparing them from their beginnings takes most of the time ("LCP merge sort").
import { numbersBelow, type Breathe, inStretches, stepsPerBreath } from '../base/breathe.ts'
import type { Texts } from './text-set.ts'

/** What is in order for so long already is left as a run; else so many are sorted at once. */
const [leastRun, runLength] = [256, 1024]

/** The rank of each text: equal for equal ones, 0 for the first in order. */
export async function rankTexts(texts: Texts, breathe: Breathe): Promise<Uint32Array> {
  const count = texts.starts.length - 1
  const sorting = new Sorting(texts)
  const runs: Sequence = { order: await numbersBelow(count, breathe), common: new Uint32Array(count) }
  const ends = await sorting.sortRuns(runs, breathe)
  const { order, common } = await sorting.mergeRuns(runs, ends, breathe)
  const ranks = new Uint32Array(count)
  let rank = 0
  await inStretches(count, breathe, (from, to) => {
    for (let at = from; at < to; at++) {
      const text = order[at] as number
      const length = common[at] as number
      const isEqual =
        at > 0 && length === sorting.lengthOf(text) && length === sorting.lengthOf(order[at - 1] as number)
      if (at > 0 && !isEqual) rank++
      ranks[text] = rank
    }
  })
  return ranks
}

/** Texts in runs, each in order. */
interface Sequence {
  readonly order: Uint32Array
  /** How many octets each has in common with the one before it in its run. */
  readonly common: Uint32Array
}

interface Halves {
  readonly from: number
  readonly middle: number
  readonly to: number
}

/** How far a merge is. */
interface Merge extends Halves {
  left: number
  right: number
  /** What the next one of each half has in common with the last one that was put into the target: who has more comes first. */
  leftCommon: number
  rightCommon: number
}

class Sorting {
  readonly #bytes: Uint8Array
  readonly #starts: Uint32Array

  constructor({ bytes, starts }: Texts) {
    this.#bytes = bytes
    this.#starts = starts
  }

  lengthOf(text: number): number {
    return (this.#starts[text + 1] as number) - (this.#starts[text] as number) - 1
  }

  /** Sorts short stretches; where each run ends. */
  async sortRuns({ order, common }: Sequence, breathe: Breathe): Promise<number[]> {
    const { length } = order
    const ends: number[] = []
    const compare = (a: number, b: number) => {
      const octets = this.#common(a, b, 0)
      if (this.#isLess(a, b, octets)) return -1
      return this.#isLess(b, a, octets) ? 1 : 0
    }
    for (let from = 0; from < length; ) {
      let to = this.#measure(order, common, from)
      if (to - from < leastRun && to < length) {
        to = Math.min(from + runLength, length)
        order.subarray(from, to).sort(compare)
        this.#measure(order, common, from)
      }
      ends.push(to)
      from = to
      const breath = breathe()
      if (breath !== undefined) await breath
    }
    return ends
  }

  /** Finds what each has in common with the one before it as long as they are in order; where that ends, or the longest run does. */
  #measure(order: Uint32Array, common: Uint32Array, from: number): number {
    const most = Math.min(from + runLength, order.length)
    common[from] = 0
    let at = from + 1
    for (; at < most; at++) {
      const before = order[at - 1] as number
      const text = order[at] as number
      const octets = this.#common(before, text, 0)
      if (this.#isLess(text, before, octets)) break
      common[at] = octets
    }
    return at
  }

  async mergeRuns(runs: Sequence, runEnds: readonly number[], breathe: Breathe): Promise<Sequence> {
    const { length } = runs.order
    let source = runs
    let target: Sequence = { order: new Uint32Array(length), common: new Uint32Array(length) }
    let ends = runEnds
    while (ends.length > 1) {
      const merged: number[] = []
      for (let run = 0, from = 0; run < ends.length; run += 2) {
        const middle = ends[run] as number
        const to = ends[run + 1] ?? middle
        await this.#merge(source, target, { from, middle, to }, breathe)
        merged.push(to)
        from = to
      }
      ends = merged
      const swap = source
      source = target
      target = swap
    }
    return source
  }

  async #merge(source: Sequence, target: Sequence, halves: Halves, breathe: Breathe): Promise<void> {
    const merge: Merge = { ...halves, left: halves.from, right: halves.middle, leftCommon: 0, rightCommon: 0 }
    for (let at = halves.from; at < halves.to; at += stepsPerBreath) {
      this.#mergeUpTo(source, target, merge, at, Math.min(at + stepsPerBreath, halves.to))
      const breath = breathe()
      if (breath !== undefined) await breath
    }
  }

  /** Fills the places of the target from one to another. */
  #mergeUpTo(source: Sequence, target: Sequence, merge: Merge, from: number, to: number): void {
    const { order, common } = source
    const { order: targetOrder, common: targetCommon } = target
    const { middle, to: end } = merge
    let { left, right, leftCommon, rightCommon } = merge
    for (let at = from; at < to; at++) {
      let takesLeft = right >= end || (left < middle && leftCommon > rightCommon)
      targetCommon[at] = takesLeft ? leftCommon : rightCommon
      if (leftCommon === rightCommon && left < middle && right < end) {
        const one = order[left] as number
        const other = order[right] as number
        const octets = this.#common(one, other, leftCommon)
        takesLeft = !this.#isLess(other, one, octets)
        if (takesLeft) rightCommon = octets
        else leftCommon = octets
      }
      if (takesLeft) {
        targetOrder[at] = order[left++] as number
        leftCommon = common[left] as number
      } else {
        targetOrder[at] = order[right++] as number
        rightCommon = common[right] as number
      }
    }
    merge.left = left
    merge.right = right
    merge.leftCommon = leftCommon
    merge.rightCommon = rightCommon
  }

  /** How many octets two texts have in common, of which these are known already. */
  #common(one: number, other: number, known: number): number {
    const bytes = this.#bytes
    const starts = this.#starts
    let at = (starts[one] as number) + known
    let otherAt = (starts[other] as number) + known
    const most = Math.min((starts[one + 1] as number) - at, (starts[other + 1] as number) - otherAt) - 1
    const end = at + most
    while (at < end && bytes[at] === bytes[otherAt]) {
      at++
      otherAt++
    }
    return known + at - (end - most)
  }

  /** Whether a text comes before another one with which it has so many octets in common. */
  #isLess(text: number, other: number, common: number): boolean {
    const starts = this.#starts
    const place = (starts[text] as number) + common
    const otherPlace = (starts[other] as number) + common
    if (otherPlace + 1 === starts[other + 1]) return false
    if (place + 1 === starts[text + 1]) return true
    return (this.#bytes[place] as number) < (this.#bytes[otherPlace] as number)
  }
}
