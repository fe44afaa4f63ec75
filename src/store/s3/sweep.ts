// Removes objects that no row refers to: of transactions that failed after the upload, and of mail that was expunged.
//
// Safe beside everything else, on any node: an object old enough (by the clock of S3 itself, which dates both it and the listing) can no longer be claimed by an
// upload that is under way (`s3-bodies.ts`), and names are never given twice, so what no row refers to then no row ever will. A row that is shared with another account
// is copied while both accounts are locked, so one of the two is always to be seen.
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { S3Client } from './client.ts'
import { findObjectNumbers, objectName, type ObjectNumbers } from './object-name.ts'

export interface SweepParts {
  readonly client: S3Client
  readonly log: Log
  /** Which of these objects a row of any account refers to, by name, as of now: not from a replica that may be behind. */
  readonly findUsed: (numbers: readonly ObjectNumbers[]) => Promise<ReadonlySet<string>>
  /** Called for each page: false ends the run, for another node has taken over. */
  readonly mayGoOn: () => Promise<boolean>
  readonly signal: AbortSignal
}

export interface SweepReport {
  /** That were looked at. */
  readonly seen: number
  readonly removed: number
  readonly freedBytes: number
}

/** Goes over the whole bucket once. Throws what S3 and the store refuse; run again, it does the rest. */
export async function sweep({ client, log, findUsed, mayGoOn, signal }: SweepParts): Promise<SweepReport> {
  let seen = 0
  let removed = 0
  let freedBytes = 0
  for (let after: string | undefined; !signal.aborted && (await mayGoOn()); ) {
    const { objects, isTruncated, serverNow } = await client.list(after)
    seen += objects.length
    const due = objects.flatMap(object => {
      const numbers = findObjectNumbers(object.name)
      return numbers && object.modifiedAt <= serverNow - limits.s3.graceMs ? [{ ...object, numbers }] : []
    })
    let orphans = due
    // Twice: a database in several parts may tell of one before a body was shared with another account, and of the other after its first owner let go of it.
    for (let look = 0; look < 2 && orphans.length > 0; look++) {
      const used = await findUsed(orphans.map(({ numbers }) => numbers))
      orphans = orphans.filter(({ numbers }) => !used.has(objectName(numbers)))
    }
    await client.deleteMany(orphans.map(({ name }) => name))
    removed += orphans.length
    for (const { sizeBytes } of orphans) freedBytes += sizeBytes
    after = objects.at(-1)?.name
    if (!isTruncated || after === undefined) break
  }
  if (removed > 0)
    log.info({ seen, removed, freedBytes }, 'bodies that nothing refers to were removed from S3')
  return { seen, removed, freedBytes }
}
