// What SQLite and the file system throw, in the store's codes. https://sqlite.org/rescode.html
import { StoreError } from '../error.ts'

interface SqliteFailure extends Error {
  readonly code: 'ERR_SQLITE_ERROR'
  readonly errcode: number
  readonly errstr: string
}

function isSqliteFailure(error: unknown): error is SqliteFailure {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}

const busy = 5
const locked = 6
const noMemory = 7
const inputOutput = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const notDatabase = 26

const fullDiskCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const fileCodes = new Set([
  'EIO',
  'EROFS',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EACCES',
  'EPERM',
  'ENOENT',
  'EBADF',
])

/** A failure of the disk or of SQLite itself as a `StoreError`; undefined for anything else, which is a refusal or a bug of one mutation. */
export function findStorageError(error: unknown): StoreError | undefined {
  if (isSqliteFailure(error)) {
    switch (error.errcode & 0xff) {
      case full:
        return new StoreError('disk-full', 'the disk is full', { cause: error })
      case busy:
      case locked:
      case noMemory:
      case inputOutput:
      case cannotOpen:
        return new StoreError('unavailable', `the database cannot be used now: ${error.errstr}`, {
          cause: error,
        })
      case corrupt:
      case notDatabase:
        return new StoreError('corrupt', `the database is damaged: ${error.errstr}`, { cause: error })
      default:
        return undefined
    }
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    if (fullDiskCodes.has(error.code))
      return new StoreError('disk-full', 'the disk is full', { cause: error })
    if (fileCodes.has(error.code)) {
      return new StoreError('unavailable', `a file of the store cannot be used now: ${error.code}`, {
        cause: error,
      })
    }
  }
  return undefined
}
