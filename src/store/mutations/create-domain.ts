// Takes a domain as ours.
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { directoryChanged } from './directory-changed.ts'

export interface CreateDomain {
  /** Normalised. */
  readonly name: string
}

/** Throws `exists`. */
export async function createDomain(tx: Tx, { name }: CreateDomain): Promise<void> {
  const made = await tx.run(
    'INSERT INTO domain (name, created_at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING',
    name,
    tx.nowMs,
  )
  if (made === 0) throw new StoreError('exists', `the domain ${name} exists`)
  directoryChanged(tx)
}
