// Answers by index, and the indexes that have one.
import type { Ascending } from '../../base/ascending.ts'
import { type Breathe, inStretches } from '../../base/breathe.ts'
import { viewOf } from '../../base/decimal.ts'

/** Where that is the answer: `unknown` or `yes`, which are a bit each. Not to be written to. */
export async function indexesWith(
  answers: Uint8Array,
  answer: 1 | 2,
  ascending: Ascending,
  breathe: Breathe,
): Promise<Uint32Array> {
  const bits = new AnswerBits(answers, answer)
  // Counted first: memory for all that there could be takes longer.
  let count = 0
  await inStretches(answers.length, breathe, (from, to) => {
    count += bits.count(from, to)
  })
  if (count === answers.length) return ascending.below(count)
  const indexes = new Uint32Array(count)
  let filled = 0
  await inStretches(answers.length, breathe, (from, to) => {
    filled = bits.indexes(from, to, indexes, filled)
  })
  return indexes
}

/** The lowest bit of each of four bytes. */
const lowest = 0x01_01_01_01

/** Looks at four answers at a time: most are not the one that is looked for. */
class AnswerBits {
  readonly #answers: DataView
  readonly #shift: number

  constructor(answers: Uint8Array, answer: 1 | 2) {
    this.#answers = viewOf(answers)
    this.#shift = answer >>> 1
  }

  /** How many there are from `from` up to `to`. */
  count(from: number, to: number): number {
    const answers = this.#answers
    const shift = this.#shift
    let count = 0
    let at = from
    // The product has the sum of the four in its highest byte.
    for (; at + 4 <= to; at += 4)
      count += Math.imul((answers.getUint32(at, true) >>> shift) & lowest, lowest) >>> 24
    for (; at < to; at++) count += (answers.getUint8(at) >>> shift) & 1
    return count
  }

  /** Puts their indexes into `target` at `filled` on; gives where they end. */
  indexes(from: number, to: number, target: Uint32Array, filled: number): number {
    const answers = this.#answers
    const shift = this.#shift
    let at = from
    for (; at + 4 <= to; at += 4) {
      let left = (answers.getUint32(at, true) >>> shift) & lowest
      for (; left !== 0; left &= left - 1) target[filled++] = at + ((31 - Math.clz32(left & -left)) >>> 3)
    }
    for (; at < to; at++) if (((answers.getUint8(at) >>> shift) & 1) === 1) target[filled++] = at
    return filled
  }
}

/** Puts the value at each place where its index says. */
export function spread<Values extends Uint8Array | Float64Array>(
  values: Values,
  indexes: Uint32Array,
  target: Values,
  breathe: Breathe,
): Promise<void> {
  return inStretches(indexes.length, breathe, (from, to) => {
    for (let at = from; at < to; at++) target[indexes[at] as number] = values[at] as number
  })
}
