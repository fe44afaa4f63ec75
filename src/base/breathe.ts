// How work over a whole mailbox lets others run: an event loop must not stand still while one client's messages are gone through.
import type { Awaitable } from './awaitable.ts'

/** Lets others run when this turn has taken long enough. Throws when nobody waits any more. */
export type Breathe = () => Awaitable<void>

/** Steps between two looks at the clock. They take up to some hundred microseconds, so that the looks cost nothing. */
export const stepsPerBreath = 1024

/** Has `work` done for the steps from `from` up to `to`, stretch by stretch, until there are `count`. */
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
export function valuesAt(values: Uint32Array, indexes: Uint32Array, breathe: Breathe): Promise<Uint32Array> {
  const found = new Uint32Array(indexes.length)
  return fillArray(found, breathe, at => values[indexes[at] as number] as number)
}

/** Fills `target` with what `valueOf` gives for each place. */
export async function fillArray<Numbers extends Uint8Array | Uint32Array | Float64Array>(
  target: Numbers,
  breathe: Breathe,
  valueOf: (place: number) => number,
): Promise<Numbers> {
  await inStretches(target.length, breathe, (from, to) => {
    for (let place = from; place < to; place++) target[place] = valueOf(place)
  })
  return target
}
