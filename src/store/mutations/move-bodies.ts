// Tells the rows of bodies that compaction copied where they lie now.
import type { Tx } from '../store.ts'

export interface MoveBodies {
  readonly segment: number
  readonly target: number
  readonly moves: readonly {
    readonly position: number
    readonly targetPosition: number
    readonly storedBytes: number
    readonly isCompressed: boolean
  }[]
}

/** All accounts' rows of a body move together. What became unused meanwhile is simply not there. */
export async function moveBodies(tx: Tx, { segment, target, moves }: MoveBodies): Promise<void> {
  for (const { position, targetPosition, storedBytes, isCompressed } of moves) {
    await tx.run(
      'UPDATE blob SET segment = ?, position = ?, stored_bytes = ?, compressed = ? WHERE segment = ? AND position = ?',
      target,
      targetPosition,
      storedBytes,
      isCompressed ? 1 : 0,
      segment,
      position,
    )
  }
}
