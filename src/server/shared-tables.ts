// The memory that all threads of a server share.
import { allocateLimiterTable } from '../account/login-limiter.ts'
import { allocateSessionCounts } from '../account/session-counts.ts'
import { allocateMaildropLocks } from '../pop3/maildrop-locks.ts'

export interface SharedTables {
  /** Failed log-ins, so that guesses are counted together. */
  readonly limiter: SharedArrayBuffer
  /** Which accounts a POP3 session has (RFC 1939 §4). */
  readonly maildropLocks: SharedArrayBuffer
  /** Sessions of each account. */
  readonly sessions: SharedArrayBuffer
}

/** Makes them. `entries` accounts or networks are told apart. */
export function allocateSharedTables(entries = 65_536): SharedTables {
  return {
    limiter: allocateLimiterTable(entries),
    maildropLocks: allocateMaildropLocks(entries),
    sessions: allocateSessionCounts(),
  }
}
