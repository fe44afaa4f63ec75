// How work over a whole mailbox lets others run: an event loop must not stand still while one client's messages are gone through.
import type { Awaitable } from './awaitable.ts'

/** Lets others run when this turn has taken long enough. Throws when nobody waits any more. */
export type Breathe = () => Awaitable<void>

/** Steps between two looks at the clock. They take up to some hundred microseconds, so that the looks cost nothing. */
export const stepsPerBreath = 1024

/**
 * Has `work` done for the steps from `from` up to `to`, stretch by stretch, until there are `count`. The loop is in `work`, not here around a function for one
 * step: V8 makes one piece of code of it, and a function that many pass here would be called for each step.
 */
export async function inStretches(
  count: number,
  breathe: Breathe,
  work: (from: number, to: number) => void,
): Promise<void> {
  for (let from = 0; from < count; from += stepsPerBreath) {
    work(from, Math.min(from + stepsPerBreath, count))
    const breath = breathe()
    if (breath !== undefined) await breath
  }
}

/** The values at the places that `indexes` name, in their order. */
export async function valuesAt(
  values: Uint32Array,
  indexes: Uint32Array,
  breathe: Breathe,
): Promise<Uint32Array> {
  const found = new Uint32Array(indexes.length)
  await inStretches(indexes.length, breathe, (from, to) => {
    for (let at = from; at < to; at++) found[at] = values[indexes[at] as number] as number
  })
  return found
}

/** Each number below `count`. */
export async function numbersBelow(count: number, breathe: Breathe): Promise<Uint32Array<ArrayBuffer>> {
  const numbers = new Uint32Array(count)
  await inStretches(count, breathe, (from, to) => {
    for (let number = from; number < to; number++) numbers[number] = number
  })
  return numbers
}
