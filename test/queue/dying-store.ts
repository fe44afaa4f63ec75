// A store over another one that dies when an attempt is to be written down, as a process does that is killed between sending and recording.
import type { MutationName } from '../../src/store/mutations.ts'
import type { Store } from '../../src/store/store.ts'

export function withoutRecords(store: Store): Store {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (key === 'mutate')
        return (name: MutationName, args: never) =>
          name === 'recordAttempt' ? Promise.reject(new Error('killed')) : target.mutate(name, args)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
