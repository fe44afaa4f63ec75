// The store as a command sees it: changes go through the server that runs on it or, when none runs, are made by the command itself.
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { StoreError, type StoreErrorCode } from '../store/error.ts'
import { openStore } from '../store/open-store.ts'
import type { Store } from '../store/store.ts'
import type { Config } from './config.ts'
import { ControlClient } from './control-client.ts'
import { ControlError } from './control-error.ts'
import { controlPath } from './control-server.ts'
import { storeOptions, storePlace } from './storage.ts'
import { openStoreBeside } from './store-beside.ts'

export interface CommandStore {
  readonly store: Store
  /** Where a server runs. */
  readonly control: ControlClient | undefined
}

/** Opens it. Throws `StoreError` `unavailable` when another process has it and cannot be asked. */
export async function openCommandStore(config: Config): Promise<CommandStore> {
  const { dataDir } = config
  const control = await ControlClient.connect(controlPath(dataDir))
  if (control && config.store.url === undefined) {
    const mutate = async (name: string, args: unknown) => {
      try {
        return await control.call('mutate', { name, args })
      } catch (error) {
        throw asStoreError(error)
      }
    }
    return { store: openStoreBeside({ dataDir, mutate }), control }
  }
  return {
    store: await openStore(storePlace(config), {
      clock: systemClock,
      log: silentLog,
      ...storeOptions(config),
      searchIndex: false,
    }),
    control,
  }
}

/** What the store refused over there is what it would refuse here. */
function asStoreError(error: unknown): unknown {
  if (!(error instanceof ControlError)) return error
  if (error.code === 'failed' || error.code === 'unknown-operation') return error
  const code = error.code === 'unreachable' ? 'unavailable' : (error.code as StoreErrorCode)
  return new StoreError(code, error.message, { cause: error })
}
