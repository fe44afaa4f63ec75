// What PostgreSQL and the way to it fail with, and what follows from it. https://www.postgresql.org/docs/current/errcodes-appendix.html
import { StoreError } from '../error.ts'

/** The session is over, or never began; whether its last COMMIT took place is for the caller to find out. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super(`the connection to PostgreSQL is gone: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
    this.name = 'ConnectionLost'
  }
}

/** What the server says of a statement. */
export interface ServerFailure extends Error {
  /** SQLSTATE. */
  readonly code: string
  readonly severity: string
}

export function isServerFailure(error: unknown): error is ServerFailure {
  return (
    error instanceof Error &&
    'code' in error &&
    'severity' in error &&
    typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code)
  )
}

/** Other transactions were in the way: the same again may succeed. A unique violation is one when two made the same thing at once. */
const conflicts = new Set(['40001', '40P01', '55P03', '23505'])

export function isConflict(error: unknown): boolean {
  return isServerFailure(error) && conflicts.has(error.code)
}

/** The server cannot serve this session any more, or is not the one that can write. */
const endings = new Set([
  '25006', // read-only: a standby, or a primary that is one now
  '25P03', // idle in a transaction for too long
  '53300', // too many connections
  '57P01', // shutting down
  '57P02', // crashed
  '57P03', // starting
  '57P05', // idle for too long
  '58000',
  '58030', // input or output failed
])

/** The session has no future: another may have one. */
export function isEnding(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true
  if (!isServerFailure(error)) return false
  return endings.has(error.code) || error.code.startsWith('08') || error.severity !== 'ERROR'
}

/** A failure of the server or of the way to it as a `StoreError`; undefined for anything else, which is a refusal or a bug of one mutation. */
export function findServerError(error: unknown): StoreError | undefined {
  if (error instanceof StoreError) return error
  if (isServerFailure(error)) {
    if (error.code === '53100')
      return new StoreError('disk-full', "the database's disk is full", { cause: error })
    if (error.code.startsWith('XX'))
      return new StoreError('corrupt', 'the database is damaged', { cause: error })
    if (error.code.startsWith('28') || error.code.startsWith('3D') || error.code === '42501')
      return new StoreError('unavailable', `the database refuses this server: ${error.message}`, {
        cause: error,
      })
    // Out of memory, cancelled, timed out.
    if (error.code.startsWith('53') || error.code === '57014')
      return new StoreError('unavailable', 'the database is overloaded', { cause: error })
  }
  if (isEnding(error) || isConflict(error))
    return new StoreError('unavailable', 'the database cannot be reached now', { cause: error })
  return undefined
}
