import type { SnapshotColumn } from '../../src/store/mailbox-snapshot.ts'

/** A column of a snapshot for its first `count` messages. */
export function valuesOf(column: SnapshotColumn, count: number): number[] {
  const values = new Float64Array(count)
  column.copy(0, count, values)
  return [...values]
}
