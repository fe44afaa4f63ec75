// Many accounts at once: copies of the rows of one that was made by the command, whose password they share. Nobody may change accounts meanwhile.
import type pg from 'pg'
import { user } from '../../bench/server.ts'

/** Its rows as `createAccount` makes them, with the columns that say whose they are or which is copied. */
const tables = ['mailbox', 'subscription', 'credential'] as const

/** Makes the accounts of numbers 1 to `count` - 1 as account 0 of `bench/server.ts` is. It has to be untouched. */
export async function copyAccounts(client: pg.Client, count: number): Promise<void> {
  const template = user(0)
  const columnsOf = async (table: string, without: readonly string[]) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT attname AS name FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL ($2) ORDER BY attnum`,
      [table, without],
    )
    return rows.map(({ name }) => name).join(', ')
  }
  await client.query('BEGIN')
  // Ids follow one another: account 0 of ours has the first.
  const columns = await columnsOf('account', ['id', 'address'])
  await client.query(
    `INSERT INTO account (id, address, ${columns})
     SELECT id + number, 'u' || number || substr(address, strpos(address, '@')), ${columns}
       FROM account, generate_series(1, $2::bigint - 1) AS number WHERE address = $1`,
    [template, count],
  )
  for (const table of tables) {
    const own = await columnsOf(table, ['account'])
    await client.query(
      `INSERT INTO ${table} (account, ${own})
       SELECT account + number, ${own}
         FROM ${table}, generate_series(1, $2::bigint - 1) AS number
        WHERE account = (SELECT id FROM account WHERE address = $1)`,
      [template, count],
    )
  }
  await client.query(`UPDATE counter SET value = (SELECT max(id) FROM account) WHERE name = 'account'`)
  await client.query('COMMIT')
  await client.query('ANALYZE')
}
