// Loaded into a soaked server before its own code (node --import): what happens once in an hour happens every few seconds.
import { existsSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { limits } from '../../src/base/limits.ts'

type Writable<T> = { -readonly [Key in keyof T]: T[Key] extends number ? number : T[Key] }

const store: Writable<typeof limits.store> = limits.store
store.orphanGraceMs = 5000
store.maintenanceMs = 5000
store.compactionMs = 10_000
store.openSegmentsMs = 5000
store.segmentBytes = 8 * 2 ** 20

const search: Writable<typeof limits.search> = limits.search
search.sweepMs = 10_000

/** While this file is there, memory is lost: a fault. */
const leakFile = process.env['RESTANTE_SOAK_LEAK']
if (isMainThread && leakFile !== undefined) {
  const leaked: Buffer[] = []
  const leak = () => {
    if (existsSync(leakFile)) leaked.push(Buffer.alloc(16 * 2 ** 20, 1))
  }
  setInterval(leak, 1000).unref()
}
