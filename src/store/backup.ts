// Backup of a store, also of one in use, into a folder; and back.
//
// Bodies never change once they are written, so a backup into the same folder copies only what is new. The order makes it whole: bodies first,
// then the rows on one state, then the bodies that came meanwhile; at last every body that a row names is looked for.
import { randomUUID } from 'node:crypto'
import {
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { copyFile, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import {
  type DataFolder,
  dataFolder,
  findSegmentNumber,
  makeDataFolder,
  segmentFile,
} from './bodies/data-folder.ts'
import { recordHeaderBytes } from './bodies/record.ts'
import { syncFolder } from './bodies/segment-writer.ts'
import { StoreError } from './error.ts'
import { Connection } from './sqlite/connection.ts'
import { openReader } from './sqlite/open-writer.ts'
import { findStorageError } from './sqlite/storage-error.ts'
import { lockStore } from './sqlite/store-lock.ts'

export interface BackupReport {
  readonly segments: number
  /** Bytes of bodies that were copied this time. */
  readonly copiedBytes: number
  readonly databaseBytes: number
}

export interface BackupOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((step: string, done: number, total: number) => void) | undefined
}

/** The file that says that a folder is a backup, and of which store. */
const marker = 'backup-of'
/** More than what clients may have seen after the backup. */
const modSeqGap = 2 ** 24

/** Compaction may take a segment away while it is looked for; then once more. */
const attempts = 3
const copyBytes = 1024 * 1024

/** Brings `target` to the state of the store at `dataDir`. A crash in between leaves the last backup's rows, and more bodies than they need. Throws `StoreError`. */
export async function backUpStore(
  dataDir: string,
  target: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const from = dataFolder(dataDir)
  const to = dataFolder(target)
  if (!existsSync(from.database)) throw new StoreError('not-found', `there is no store at ${dataDir}`)
  const id = storeIdOf(from)
  const known = backupIdOf(to)
  if (known === undefined && !isEmpty(target))
    throw new StoreError('exists', `${target} holds something else than a backup`)
  // The numbers of segments would mean other bodies.
  if (known !== undefined && known !== id)
    throw new StoreError('exists', `${target} is the backup of another store`)
  return locked(to, async () => {
    await writeFile(join(target, marker), `${id}\n`, { mode: 0o600 })
    return copyStore(from, to, options)
  })
}

export interface RestoreOptions extends BackupOptions {
  /**
   * Keep UIDVALIDITY: right only when nothing happened to the store after the backup. Else UIDs that were given since would be given again to other
   * messages (RFC 9051 §2.3.1.1), so mailboxes get new ones and programs load them anew.
   */
  readonly keepsUidValidity?: boolean | undefined
  readonly clock?: Clock | undefined
}

/** Makes a store at `dataDir` out of a backup. Throws `StoreError` `exists` when something is there already, `not-found` without a backup. */
export async function restoreStore(
  backup: string,
  dataDir: string,
  options: RestoreOptions = {},
): Promise<BackupReport> {
  const from = dataFolder(backup)
  if (!existsSync(from.database)) throw new StoreError('not-found', `there is no backup at ${backup}`)
  if (!isEmpty(dataDir)) throw new StoreError('exists', `${dataDir} is not empty`)
  const to = dataFolder(dataDir)
  return locked(to, async () => {
    const report = await copyStore(from, to, options)
    const connection = new Connection(to.database, {
      readOnly: false,
      timeoutMs: 0,
      cacheBytes: 8 * 1024 * 1024,
    })
    try {
      connection.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
      // From now on it is a store of its own, with backups of its own.
      connection.run(`UPDATE secret SET value = ? WHERE name = 'store-id'`, randomUUID())
      if (options.keepsUidValidity !== true)
        renewUidValidities(connection, (options.clock ?? systemClock).now())
      connection.exec('COMMIT')
    } finally {
      connection.close()
    }
    return report
  })
}

/** Makes the folder, and keeps other processes out of it meanwhile. */
async function locked<T>(folder: DataFolder, section: () => Promise<T>): Promise<T> {
  try {
    makeDataFolder(folder)
    const lock = lockStore(folder)
    try {
      return await section()
    } finally {
      lock.release()
    }
  } catch (error) {
    throw findStorageError(error) ?? error
  }
}

/** A second is above every number that was given before: one is given with each mailbox, and the first was the second of the account's making. */
function renewUidValidities(connection: Connection, nowMs: number): void {
  const base = Math.floor(nowMs / 1000)
  connection.run(
    'UPDATE account SET next_uid_validity = max(next_uid_validity, ?), mod_seq = mod_seq + ?',
    base,
    modSeqGap,
  )
  connection.run(
    `UPDATE mailbox SET
       uid_validity = (SELECT next_uid_validity FROM account WHERE id = mailbox.account) + mailbox.id,
       mod_seq = (SELECT mod_seq FROM account WHERE id = mailbox.account)`,
  )
  connection.run('UPDATE account SET next_uid_validity = next_uid_validity + next_mailbox')
  connection.run('DELETE FROM snapshot')
}

async function copyStore(from: DataFolder, to: DataFolder, options: BackupOptions): Promise<BackupReport> {
  const connection = openReader(from)
  const fresh = `${to.database}.new`
  let copiedBytes = 0
  try {
    for (let attempt = 1; ; attempt++) {
      copiedBytes += await copySegments(connection, from, to, options)
      rmSync(fresh, { force: true })
      connection.exec(`PRAGMA page_size = ${limits.store.pageBytes}`)
      connection.run('VACUUM INTO ?', fresh)
      const copy = openReader({ ...to, database: fresh })
      try {
        copiedBytes += await copySegments(copy, from, to, options)
        const missing = findMissing(copy, to)
        if (missing === undefined) break
        if (attempt === attempts)
          throw new StoreError('corrupt', `segment ${missing} is missing or too short`)
      } finally {
        copy.close()
      }
    }
  } finally {
    connection.close()
  }
  await syncFile(fresh)
  const copy = openReader({ ...to, database: fresh })
  const used = new Set(usedSegments(copy).map(row => row.segment))
  copy.close()
  // The rows change in one step; until then the folder is the last backup.
  for (const suffix of ['-wal', '-shm']) rmSync(to.database + suffix, { force: true })
  renameSync(fresh, to.database)
  syncFolder(to.path)
  for (const name of readdirSync(to.segments)) {
    const segment = findSegmentNumber(name)
    if (segment !== undefined && !used.has(segment)) unlinkSync(segmentFile(to, segment))
  }
  return { segments: used.size, copiedBytes, databaseBytes: statSync(to.database).size }
}

interface UsedSegment {
  readonly segment: number
  /** Where its last body that is used ends. */
  readonly end: number
}

function usedSegments(connection: Connection): readonly UsedSegment[] {
  return connection.all<UsedSegment>(
    `SELECT segment, max(position + stored_bytes) + ${recordHeaderBytes} AS "end" FROM blob GROUP BY segment ORDER BY segment`,
  )
}

/** Copies each segment up to the end of its last used body, going on where the last backup ended. */
async function copySegments(
  connection: Connection,
  from: DataFolder,
  to: DataFolder,
  { signal, onProgress }: BackupOptions,
): Promise<number> {
  const used = usedSegments(connection)
  let copied = 0
  for (const [index, { segment, end }] of used.entries()) {
    signal?.throwIfAborted()
    onProgress?.('bodies', index, used.length)
    const source = segmentFile(from, segment)
    const copy = segmentFile(to, segment)
    const have = statSync(copy, { throwIfNoEntry: false })?.size ?? 0
    if (have >= end) continue
    const sourceBytes = statSync(source, { throwIfNoEntry: false })?.size
    if (sourceBytes === undefined) continue
    if (have === 0 && sourceBytes === end) await copyWhole(source, copy)
    else await appendBytes(source, copy, have, end, signal)
    copied += end - have
  }
  if (copied > 0) syncFolder(to.segments)
  return copied
}

/** Shares the blocks where the file system can. */
async function copyWhole(source: string, copy: string): Promise<void> {
  const part = `${copy}.part`
  await copyFile(source, part, constants.COPYFILE_FICLONE)
  await syncFile(part)
  renameSync(part, copy)
}

async function appendBytes(
  source: string,
  copy: string,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const from = await open(source, 'r')
  const to = await open(copy, start === 0 ? 'w' : 'r+', 0o600)
  try {
    const buffer = Buffer.alloc(copyBytes)
    for (let at = start; at < end; ) {
      signal?.throwIfAborted()
      const { bytesRead } = await from.read(buffer, 0, Math.min(copyBytes, end - at), at)
      if (bytesRead === 0) break
      let written = 0
      while (written < bytesRead) {
        written += (await to.write(buffer, written, bytesRead - written, at + written)).bytesWritten
      }
      at += bytesRead
    }
    await to.datasync()
  } finally {
    await from.close()
    await to.close()
  }
}

function findMissing(connection: Connection, to: DataFolder): number | undefined {
  return usedSegments(connection).find(
    ({ segment, end }) => (statSync(segmentFile(to, segment), { throwIfNoEntry: false })?.size ?? 0) < end,
  )?.segment
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function isEmpty(path: string): boolean {
  return !existsSync(path) || readdirSync(path).length === 0
}

function storeIdOf(folder: DataFolder): string {
  const connection = openReader(folder)
  try {
    const row = connection.get<{ value: string }>(`SELECT value FROM secret WHERE name = 'store-id'`)
    if (!row) throw new StoreError('corrupt', `the store at ${folder.path} has no id`)
    return row.value
  } finally {
    connection.close()
  }
}

/** The id of the store whose backup this is. */
function backupIdOf(folder: DataFolder): string | undefined {
  try {
    return readFileSync(join(folder.path, marker), 'utf8').trim()
  } catch {
    return undefined
  }
}
