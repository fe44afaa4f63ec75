// A secret of the whole installation, made once and then always the same.
import { assert } from '../../base/assert.ts'
import type { Tx } from '../store.ts'

export interface CreateSecret {
  readonly name: string
  /** Base64 of random bytes; kept only when there is none of this name yet. */
  readonly value: string
}

/** The secret that is kept, the given one or an earlier one. */
export async function createSecret(tx: Tx, { name, value }: CreateSecret): Promise<{ value: string }> {
  await tx.run('INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', name, value)
  const kept = await tx.get<{ value: string }>('SELECT value FROM secret WHERE name = ?', name)
  assert(kept !== undefined, 'a secret that was just made is there')
  return kept
}
