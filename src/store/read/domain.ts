// Domains that are ours.
import type { Reader } from '../store.ts'

export interface DomainRow {
  /** Normalised: lower case, A-labels. */
  readonly name: string
  readonly createdAt: number
}

/** All domains, by name. */
export async function listDomains(reader: Reader): Promise<readonly DomainRow[]> {
  return reader.all<DomainRow>('SELECT name, created_at AS "createdAt" FROM domain ORDER BY name')
}
