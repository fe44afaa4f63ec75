// Keeps every node from changing the database while it is read as a whole: their changes wait, and are refused as temporary failures.
import type { Log } from '../../base/log.ts'
import { limits } from '../../base/limits.ts'
import { accountTables, serverTables } from '../tables.ts'
import type { PostgresPlace } from './place.ts'
import { findServerError } from './server-error.ts'
import { SessionOpener } from './session-pool.ts'
import { parseTarget } from './target.ts'

export interface DatabaseLock {
  /** Throws `StoreError` `unavailable` when the lock was lost, with the session that held it. */
  mustHold(): Promise<void>
  release(): Promise<void>
}

/** Waits for the transactions under way. Throws `StoreError`. */
export async function lockDatabase(place: PostgresPlace, log: Log): Promise<DatabaseLock> {
  const opener = new SessionOpener({ targets: parseTarget(place.url, place.tls), log })
  try {
    const session = await opener.open()
    const names = [...accountTables, ...serverTables].map(({ table }) => table).join(', ')
    try {
      await session.exec(
        `SET idle_in_transaction_session_timeout = 0; SET lock_timeout = ${limits.postgres.statementMs}`,
      )
      await session.exec(`BEGIN; LOCK TABLE ${names} IN SHARE MODE`)
    } catch (error) {
      await session.close()
      throw error
    }
    return {
      async mustHold() {
        try {
          await session.exec('SELECT 1')
        } catch (error) {
          throw findServerError(error) ?? error
        }
      },
      release: () => session.close(),
    }
  } catch (error) {
    throw findServerError(error) ?? error
  }
}
