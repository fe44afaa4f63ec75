// What a command may ask of the running server: mutations of its store, and how it is.
import type { Health } from '../http/health.ts'
import { mutations, type MutationName } from '../store/mutations.ts'
import type { Store } from '../store/store.ts'
import { ControlError } from './control-error.ts'
import type { ControlOperations } from './control-server.ts'
import type { Listen } from './listen.ts'

export interface ControlParts {
  readonly store: Store
  readonly health: () => Promise<Health>
  readonly listen: () => Listen
}

/** The table of operations. */
export function controlOperations({ store, health, listen }: ControlParts): ControlOperations {
  return {
    mutate(request) {
      const { name, args } = request as { name: string; args: never }
      if (!isMutation(name))
        throw new ControlError(
          'unknown-operation',
          `the running server knows no change "${name}"; is it an older version?`,
        )
      return store.mutate(name, args)
    },
    async state() {
      return { pid: process.pid, health: await health(), listen: listen() }
    },
  }
}

function isMutation(name: string): name is MutationName {
  return Object.hasOwn(mutations, name)
}
