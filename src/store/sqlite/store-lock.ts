// One process at a time opens a store for writing. The system lets go of the lock however the process ends.
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { DataFolder } from '../bodies/data-folder.ts'
import { StoreError } from '../error.ts'
import { findStorageError } from './storage-error.ts'

export interface StoreLock {
  release(): void
}

/** Takes the lock. Throws `StoreError` `unavailable` that names who holds it. */
export function lockStore(folder: DataFolder): StoreLock {
  const holder = `${folder.lock}.holder`
  const database = new DatabaseSync(folder.lock, { timeout: 0 })
  try {
    // An exclusive lock of SQLite on a small file works on each system that Node serves; it lasts as long as the transaction.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    const failure = findStorageError(error)
    if (failure?.code !== 'unavailable') throw failure ?? error
    throw new StoreError('unavailable', `the store at ${folder.path} is in use${describeHolder(holder)}`, {
      cause: error,
    })
  }
  writeFileSync(holder, `process ${process.pid}, since ${new Date().toISOString()}\n`, { mode: 0o600 })
  return {
    release() {
      if (database.isOpen) database.close()
    },
  }
}

function describeHolder(file: string): string {
  try {
    return ` by ${readFileSync(file, 'utf8').trim()}`
  } catch {
    return ''
  }
}
