// Values of a snapshot's column for many messages: in stretches, since a call for each takes several times as long.
import { type Breathe, inStretches, stepsPerBreath } from '../base/breathe.ts'
import type { SnapshotColumn } from '../store/mailbox-snapshot.ts'

/** Puts the values at the positions `positions[from … to)`, which ascend, into `target` from 0 on. */
export function takeValues(
  column: SnapshotColumn,
  positions: Uint32Array,
  from: number,
  to: number,
  target: Uint32Array | Float64Array,
): void {
  const first = positions[from] as number
  const last = positions[to - 1] as number
  if (last - first === to - from - 1) column.copy(first, last + 1, target)
  else for (let at = from; at < to; at++) target[at - from] = column.at(positions[at] as number)
}

/** The values at `positions[index]` for indexes that ascend. */
export async function pickValues(
  column: SnapshotColumn,
  positions: Uint32Array,
  indexes: Uint32Array,
  breathe: Breathe,
): Promise<Float64Array> {
  const values = new Float64Array(indexes.length)
  const places = new Uint32Array(Math.min(indexes.length, stepsPerBreath))
  await inStretches(indexes.length, breathe, (from, to) => {
    for (let at = from; at < to; at++) places[at - from] = positions[indexes[at] as number] as number
    takeValues(column, places, 0, to - from, values.subarray(from, to))
  })
  return values
}
