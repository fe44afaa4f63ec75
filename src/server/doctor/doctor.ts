// Examines what the configured store stands on. Changes nothing but for probes that are removed again.
import { silentLog } from '../../base/log.ts'
import { StoreError } from '../../store/error.ts'
import { openReader } from '../../store/sqlite/open-writer.ts'
import { schemaVersion } from '../../store/sqlite/migrate.ts'
import { fillingSql } from '../../store/filling.ts'
import { dataFolder } from '../../store/bodies/data-folder.ts'
import type { Config } from '../config.ts'
import { storePlace } from '../storage.ts'
import { examineFolder } from './folder.ts'
import { type DoctorItem, item, reasonOf } from './item.ts'

type Examined = Pick<Config, 'dataDir' | 'store' | 'threads'>

/** All that was found, good and bad. Throws `StoreError` for a configuration that cannot be used at all. */
export async function examine(config: Examined): Promise<readonly DoctorItem[]> {
  const place = storePlace(config)
  if (!('url' in place)) {
    const folder = await examineFolder(config.dataDir)
    return folder.length === 1 ? folder : [...folder, examineRows(config), durabilityOf(config)]
  }
  const { examineDatabase } = await import('./database.ts')
  const items = [
    ...(await examineFolder(config.dataDir)),
    ...(await examineDatabase({ place, sessionsPerNode: sessionsPerNode(config), log: silentLog })),
  ]
  if (!place.bucket) return items
  const { examineBucket } = await import('./bucket.ts')
  return [...items, ...(await examineBucket(place.bucket))]
}

/** Each thread and the supervisor have a store of their own; one of them maintains and sweeps, and one session hears of changes. The indexer's thread has two, and one that writes the index. */
function sessionsPerNode({ threads, store }: Examined): number {
  return (threads + 1) * (store.sessions.read + store.sessions.write) + 6
}

function examineRows({ dataDir }: Examined): DoctorItem {
  const expected = `a store of schema ${schemaVersion}, whole`
  try {
    const connection = openReader(dataFolder(dataDir))
    try {
      const row = connection.get<{ version: number }>('SELECT max(version) AS version FROM schema_version')
      const isFilling = connection.get(fillingSql) !== undefined
      return item('store', isFilling ? 'fail' : row?.version === schemaVersion ? 'ok' : 'warn', {
        expected,
        actual: isFilling ? 'it is being filled by restante migrate' : `schema ${row?.version ?? 0}`,
        fix: isFilling ? 'run restante migrate to its end' : 'start this version, which brings it up',
      })
    } finally {
      connection.close()
    }
  } catch (error) {
    if (!(error instanceof StoreError) && !(error instanceof Error && 'errcode' in error)) throw error
    return item('store', 'fail', {
      expected,
      actual: reasonOf(error),
      fix: 'start the server once, or restore a backup; restante check tells more',
    })
  }
}

function durabilityOf({ store }: Examined): DoctorItem {
  return item('durability', 'ok', {
    expected: 'mail, or strict',
    actual:
      store.durability === 'strict'
        ? 'strict: every change is on disk before it is acknowledged'
        : 'mail: a power cut may undo flag changes of the last second',
    fix: '',
  })
}
