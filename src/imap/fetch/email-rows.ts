// Rows of `email`, many at a time and only the columns that are asked for, and where those emails lie.
import type { AccountId, EmailId } from '../../base/ids.ts'
import type { Reader } from '../../store/store.ts'

/** What FETCH and SEARCH read of an email beside its bytes. */
export interface EmailRow {
  readonly id: number
  readonly blob: Uint8Array
  readonly thread: number
  readonly size_bytes: number
  readonly header_bytes: number
  readonly sent_at: number | null
  readonly sent_zone_minutes: number
  readonly envelope: Uint8Array
  readonly body_structure: Uint8Array
  readonly parts: Uint8Array
  readonly preview: string
  readonly has_attachment: number
  /** No column: the mailboxes that hold the email, by name. */
  readonly places: readonly Place[]
}

/** A mailbox that holds an email. */
export interface Place {
  readonly name: string
  readonly specialUse: string | null
}

export type EmailColumn = Exclude<keyof EmailRow, 'id'>

/** Lengths of the lists of ids, so that few statements are prepared. */
const listLengths = [1, 8, 64, 256] as const
/** The most ids that `readEmailRows` takes. */
export const maxEmailRows = 256

/** The rows of `ids`, by id; those that are gone are missing. Columns that were not named are not there. */
export async function readEmailRows(
  reader: Reader,
  account: AccountId,
  ids: readonly EmailId[],
  columns: ReadonlySet<EmailColumn>,
): Promise<ReadonlyMap<number, EmailRow>> {
  const rows = new Map<number, EmailRow>()
  if (ids.length === 0) return rows
  const named = [...columns].filter(column => column !== 'places').sort()
  const select = `SELECT ${['id', ...named].join(', ')} FROM email WHERE account = ? AND id`
  const [test, bounds] = isDense(ids)
    ? (['BETWEEN ? AND ?', [Math.min(...ids), Math.max(...ids)]] as const)
    : ([`IN (${marks(ids.length)})`, padded(ids)] as const)
  const found = await reader.all<EmailRow>(`${select} ${test}`, account, ...bounds)
  if (!columns.has('places')) {
    for (const row of found) rows.set(row.id, row)
    return rows
  }
  const places = await readPlaces(reader, account, test, bounds)
  for (const row of found) rows.set(row.id, { ...row, places: places.get(row.id) ?? [] })
  return rows
}

/** The mailboxes of each email, each once, by name. */
async function readPlaces(
  reader: Reader,
  account: AccountId,
  test: string,
  bounds: readonly number[],
): Promise<ReadonlyMap<number, readonly Place[]>> {
  const found = await reader.all<Place & { readonly email: number }>(
    `SELECT DISTINCT m.email, b.name, b.special_use AS "specialUse" FROM message m
       JOIN mailbox b ON b.account = m.account AND b.id = m.mailbox
     WHERE m.account = ? AND m.email ${test} ORDER BY m.email, b.name`,
    account,
    ...bounds,
  )
  const places = new Map<number, Place[]>()
  for (const { email, name, specialUse } of found) {
    const known = places.get(email)
    if (known) known.push({ name, specialUse })
    else places.set(email, [{ name, specialUse }])
  }
  return places
}

/** Whether a range over all the ids reads hardly more than the ids. */
function isDense(ids: readonly EmailId[]): boolean {
  return ids.length > 4 && Math.max(...ids) - Math.min(...ids) < ids.length * 1.25
}

function marks(count: number): string {
  return new Array<string>(listLength(count)).fill('?').join(', ')
}

function padded(ids: readonly EmailId[]): readonly EmailId[] {
  const last = ids[ids.length - 1] as EmailId
  return [...ids, ...new Array<EmailId>(listLength(ids.length) - ids.length).fill(last)]
}

function listLength(count: number): number {
  for (const length of listLengths) if (count <= length) return length
  throw new RangeError(`too many ids at once: ${count}`)
}
