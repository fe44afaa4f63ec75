// Which programs may work on which schema, so that versions N and N+1 of the program run side by side while a site is upgraded.
//
// A change is made in two releases. The first one expands: it adds tables, indexes, and columns that are NULL or have a default, and its program writes what the
// program before needs as well. A later one contracts: it removes what no program since the first one uses. `oldest` of the last step says from which version on programs
// may work: an expanding step leaves it as it is, a contracting step raises it. A program meets a newer schema with what that schema's row says, and goes on or refuses.
import { StoreError } from './error.ts'

export interface Schema {
  /** Step `i` leads from version `i` to version `i + 1`. Steps are never changed once released. */
  readonly steps: readonly string[]
  /** Programs that know this version or a later one may work on the last one. */
  readonly oldest: number
}

/** Throws `StoreError` `unavailable` when `version`, which is newer than what this program knows, is not for it. `oldest` is what the row of that version says. */
export function refuseNewer(version: number, known: number, oldest: number | null | undefined): void {
  if (version <= known || (oldest ?? version) <= known) return
  throw new StoreError(
    'unavailable',
    `this store was written by a newer Restante (schema ${version}, this program knows ${known}): start that version, or restore a backup made before`,
  )
}
