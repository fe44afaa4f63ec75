// Where bodies lie, asked for together with the rows of their emails, in stores whose rows say so (`Reader.knowsLocations`).
import type { BodyLocation, Reader } from '../store.ts'

/** What is added to a statement over `email e`: columns behind its own, and a join. Nothing where rows do not say it. */
export interface LocationSql {
  readonly columns: string
  readonly join: string
}

const nowhere: LocationSql = { columns: '', join: '' }
const located: LocationSql = {
  columns: ', b.segment, b.position, b.stored_bytes, b.size_bytes, b.compressed',
  join: 'JOIN blob b ON b.account = e.account AND b.hash = e.blob',
}

export function locationSql({ knowsLocations }: Pick<Reader, 'knowsLocations'>): LocationSql {
  return knowsLocations === true ? located : nowhere
}

/** The location in a row as an array, `at` being the first of its columns; undefined where they are not there. */
export function findLocation(values: readonly unknown[], at: number): BodyLocation | undefined {
  if (values.length === at) return undefined
  const [segment, offset, storedBytes, sizeBytes, compressed] = values.slice(at) as number[]
  return {
    segment: segment as number,
    offset: offset as number,
    storedBytes: storedBytes as number,
    sizeBytes: sizeBytes as number,
    compressed: compressed !== 0,
  }
}
