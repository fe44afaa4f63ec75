// Loaded into a drilled server before its own code (node --import): maintenance and compaction run all the time and segments
// are small, so that seconds hold what otherwise takes days.
import { limits } from '../../src/base/limits.ts'

type Writable<T> = { -readonly [Key in keyof T]: T[Key] extends number ? number : T[Key] }

const store: Writable<typeof limits.store> = limits.store
store.orphanGraceMs = 200
store.maintenanceMs = 100
store.compactionMs = 150
store.segmentBytes = 256 * 1024
store.bodiesPerStep = 20
