// Keeps the leases of work that takes long, or gives up those of a process that is gone.
import type { Tx } from '../store.ts'

export interface RenewLeases {
  /** A holder, or with `%` at its end all whose names begin so. */
  readonly lease: string
  /** From now; 0 gives the work back. */
  readonly leaseMs: number
}

/** How many recipients are concerned. */
export async function renewLeases(tx: Tx, { lease, leaseMs }: RenewLeases): Promise<number> {
  return tx.run(
    'UPDATE queue_recipient SET lease_until = ? WHERE lease_until > 0 AND lease LIKE ?',
    leaseMs === 0 ? 0 : tx.nowMs + leaseMs,
    lease,
  )
}
