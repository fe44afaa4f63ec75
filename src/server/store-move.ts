// Moves the store of one configuration to the place of another: locks the source, fills the target, lets go.
import { existsSync, realpathSync } from 'node:fs'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { dataFolder } from '../store/bodies/data-folder.ts'
import { StoreError } from '../store/error.ts'
import { type MoveOptions, type MoveReport, type MoveSource, moveStore } from '../store/move-store.ts'
import { openStore } from '../store/open-store.ts'
import { schemaVersion } from '../store/sqlite/migrate.ts'
import { lockStore } from '../store/sqlite/store-lock.ts'
import type { Config } from './config.ts'
import { storeOptions, storePlace } from './storage.ts'
import { openStoreBeside } from './store-beside.ts'

type StorePlaces = Pick<Config, 'dataDir' | 'quota' | 'search' | 'store'>

/** Throws `StoreError`, and what `moveStore` throws; then it is run again. The source is only read, and nobody writes it meanwhile. */
export async function moveConfiguredStore(
  from: StorePlaces,
  to: StorePlaces,
  options: MoveOptions = {},
): Promise<MoveReport> {
  if (isSame(from, to)) throw new StoreError('exists', 'that is where the store is already')
  const locked = await openLocked(from)
  try {
    const target = await openStore(storePlace(to), {
      clock: systemClock,
      ...storeOptions(to),
      mayBeFilling: true,
    })
    try {
      return await moveStore(locked.source, target, { ...options, beforeEnd: locked.mustHold })
    } finally {
      await target.close()
    }
  } finally {
    await locked.close()
  }
}

function isSame(from: StorePlaces, to: StorePlaces): boolean {
  if (from.store.url !== to.store.url) return false
  if (from.store.url !== undefined) return true
  return existsSync(to.dataDir) && realpathSync(from.dataDir) === realpathSync(to.dataDir)
}

interface LockedSource {
  readonly source: MoveSource
  readonly mustHold: () => Promise<void>
  readonly close: () => Promise<void>
}

async function openLocked(config: StorePlaces): Promise<LockedSource> {
  return config.store.url === undefined ? openLockedFolder(config.dataDir) : openLockedDatabase(config)
}

async function openLockedFolder(dataDir: string): Promise<LockedSource> {
  const folder = dataFolder(dataDir)
  if (!existsSync(folder.database)) throw new StoreError('not-found', `there is no store at ${dataDir}`)
  const lock = lockStore(folder)
  try {
    const source = openStoreBeside({
      dataDir,
      mutate: () => Promise.reject(new StoreError('unavailable', 'the store is being moved')),
    })
    try {
      const row = await source.reader.get<{ version: number }>(
        'SELECT max(version) AS version FROM schema_version',
      )
      if (row?.version !== schemaVersion) {
        throw new StoreError(
          'unavailable',
          `the store has schema ${row?.version ?? 0}, this program ${schemaVersion}: start and stop this program on it first`,
        )
      }
      const closed = await source.reader.get<{ value: number }>(
        `SELECT value FROM counter WHERE name = 'closed'`,
      )
      // Its next start skips modSeqs that a power cut may have taken (`open-writer.ts`); the target would give them again.
      if (closed?.value !== 1) {
        throw new StoreError('unavailable', 'the server did not end in order: start and stop it once more')
      }
    } catch (error) {
      await source.close()
      throw error
    }
    return {
      source,
      // The system takes a lock of a file away with the process alone.
      mustHold: () => Promise.resolve(),
      async close() {
        await source.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function openLockedDatabase(config: StorePlaces): Promise<LockedSource> {
  const place = storePlace(config)
  if (!('url' in place)) throw new Error('not a database')
  const { lockDatabase } = await import('../store/postgres/lock-database.ts')
  const source = await openStore(place)
  try {
    const lock = await lockDatabase(place, silentLog)
    return {
      source,
      mustHold: () => lock.mustHold(),
      async close() {
        await source.close()
        await lock.release()
      },
    }
  } catch (error) {
    await source.close()
    throw error
  }
}
