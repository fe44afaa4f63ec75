// Rows for clients who fetch whole messages one after the other, as those do who keep copies of a mailbox: the next ones come with one statement.
//
// What is in them never changes. A body may be moved meanwhile, or be gone with its last message: who reads it finds out.
import type { AccountId, EmailId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import type { Reader } from '../../store/store.ts'
import { type EmailColumn, type EmailRow, readEmailRows } from './email-rows.ts'

/** One email after the other was asked for. */
interface Streak {
  readonly last: number
  /** Read ahead, by id. */
  readonly rows: ReadonlyMap<number, EmailRow>
}

/** Short ones: rows with them are worth keeping though nobody may ask for them. */
const shortColumns: ReadonlySet<EmailColumn> = new Set<EmailColumn>(['blob', 'header_bytes', 'size_bytes'])
const noRows: ReadonlyMap<number, EmailRow> = new Map()

export class RowsAhead {
  readonly #streaks = new Lru<string, Streak>(limits.imap.fetchStreaks)

  /** The row of one email, and perhaps more, by id; nothing where it is gone. */
  async read(
    reader: Reader,
    account: AccountId,
    id: EmailId,
    columns: ReadonlySet<EmailColumn>,
  ): Promise<ReadonlyMap<number, EmailRow>> {
    for (const column of columns)
      if (!shortColumns.has(column)) return readEmailRows(reader, account, [id], columns)
    const key = `${account} ${[...columns].join(' ')}`
    const streak = this.#streaks.get(key)
    if (streak?.rows.has(id)) {
      this.#streaks.set(key, { last: id, rows: streak.rows })
      return streak.rows
    }
    const isNext = streak?.last === id - 1
    const ids = isNext
      ? Array.from({ length: limits.imap.readAhead }, (_unused, at) => (id + at) as EmailId)
      : [id]
    const rows = await readEmailRows(reader, account, ids, columns)
    this.#streaks.set(key, { last: id, rows: isNext ? rows : noRows })
    return rows
  }
}
