// Rows of `email`, many at a time and only the columns that are asked for, and where those emails lie.
import type { AccountId, EmailId } from '../../base/ids.ts'
import { findLocation, locationSql } from '../../store/read/body-location.ts'
import type { BodyLocation, Reader } from '../../store/store.ts'

/** What FETCH and SEARCH read of an email beside its bytes. */
export interface EmailRow {
  readonly id: number
  readonly blob: Uint8Array
  readonly thread: number
  readonly size_bytes: number
  readonly header_bytes: number
  readonly sent_at: number | null
  readonly sent_zone_minutes: number
  readonly envelope: WireText
  readonly body_structure: WireText
  readonly parts: Uint8Array
  readonly preview: string
  readonly has_attachment: number
  /** No column: the mailboxes that hold the email, by name. */
  readonly places: readonly Place[]
  /** No column: where the body lies, of rows with `blob`; undefined where the store does not say. */
  readonly location?: BodyLocation | undefined
}

/** A value in wire form: a string where all of it is ASCII and the store has given it as one. */
export type WireText = string | Uint8Array

/** A mailbox that holds an email. */
export interface Place {
  readonly name: string
  readonly specialUse: string | null
}

export type EmailColumn = Exclude<keyof EmailRow, 'id' | 'location'>

/** Lengths of the lists of ids, so that few statements are prepared. */
const listLengths = [1, 8, 64, 256] as const
/** The most ids that `readEmailRows` takes. */
export const maxEmailRows = 256
/** Where bodies lie stands here and there in the store: each place takes a tenth of a millisecond or more when it comes from the disk. */
const maxLocatedRows = 64

/** Columns that are nearly always ASCII, and long. */
const wireColumns: ReadonlySet<string> = new Set(['envelope', 'body_structure'] satisfies EmailColumn[])

/** How many rows a command reads at once, while its thread does nothing else. */
export function emailRowsAtOnce(columns: ReadonlySet<EmailColumn>): number {
  return columns.has('blob') ? maxLocatedRows : maxEmailRows
}

/** The rows of `ids`, by id; those that are gone are missing. Columns that were not named are not there. */
export async function readEmailRows(
  reader: Reader,
  account: AccountId,
  ids: readonly EmailId[],
  columns: ReadonlySet<EmailColumn>,
): Promise<ReadonlyMap<number, EmailRow>> {
  if (ids.length === 0) return new Map()
  const named = [...columns].filter(column => column !== 'places').sort()
  const [test, bounds] = isDense(ids)
    ? (['BETWEEN ? AND ?', [Math.min(...ids), Math.max(...ids)]] as const)
    : ([`IN (${marks(ids.length)})`, padded(ids)] as const)
  const texts: number[] = []
  const expressions = named.map((name, index) => {
    const text = wireColumns.has(name) ? reader.asText?.(`e.${name}`) : undefined
    if (text !== undefined) texts.push(index + 1)
    return text ?? `e.${name}`
  })
  const place = columns.has('blob') ? locationSql(reader) : undefined
  const result = reader.arrays<RowValues>(
    `SELECT ${['e.id', ...expressions].join(', ')}${place?.columns ?? ''} FROM email e ${place?.join ?? ''} WHERE e.account = ? AND e.id ${test}`,
    account,
    ...bounds,
  )
  const found = result instanceof Promise ? await result : result
  const rows = new Map<number, EmailRow>()
  const inexact: number[] = []
  for (const values of found) {
    if (!texts.every(at => isAscii(values[at] as string))) inexact.push(values[0])
    rows.set(values[0], rowOf(named, values))
  }
  for (const id of inexact) {
    const [values] = await reader.arrays<RowValues>(
      `SELECT ${['id', ...named].join(', ')} FROM email WHERE account = ? AND id = ?`,
      account,
      id,
    )
    if (values) rows.set(id, rowOf(named, values))
  }
  if (!columns.has('places')) return rows
  const places = await readPlaces(reader, account, test, bounds)
  for (const [id, row] of rows) rows.set(id, { ...row, places: places.get(id) ?? [] })
  return rows
}

/** Whether the text is what its bytes say: other bytes than ASCII, whatever became of them, take more than one byte in UTF-8. */
function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length
}

type RowValues = readonly [id: number, ...values: unknown[]]

function rowOf(named: readonly string[], values: RowValues): EmailRow {
  const row: Record<string, unknown> = { id: values[0] }
  for (let at = 0; at < named.length; at++) row[named[at] as string] = values[at + 1]
  row['location'] = findLocation(values, named.length + 1)
  return row as unknown as EmailRow
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
