// Answers by index, and the indexes that have one.
import type { Ascending } from '../../base/ascending.ts'
import { type Breathe, inStretches } from '../../base/breathe.ts'

/** Where that is the answer. Not to be written to. */
export async function indexesWith(
  answers: Uint8Array,
  answer: number,
  ascending: Ascending,
  breathe: Breathe,
): Promise<Uint32Array> {
  // Counted first: memory for all that there could be takes longer.
  let count = 0
  await inStretches(answers.length, breathe, (from, to) => {
    let some = 0
    for (let index = from; index < to; index++) if (answers[index] === answer) some++
    count += some
  })
  if (count === answers.length) return ascending.below(count)
  const indexes = new Uint32Array(count)
  let filled = 0
  await inStretches(answers.length, breathe, (from, to) => {
    let at = filled
    for (let index = from; index < to; index++) if (answers[index] === answer) indexes[at++] = index
    filled = at
  })
  return indexes
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
