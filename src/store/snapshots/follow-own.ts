// What a thread has changed itself it need not read again.
import type { MutationArgs, MutationName, MutationResult } from '../mutations.ts'
import { maskOf } from '../mutations/store-flags.ts'
import type { SnapshotCache } from './snapshot-cache.ts'

/** Takes note of a mutation that was committed in a transaction of its own. Only flags are followed, where the change is the same for every message. */
export function followOwn(
  snapshots: SnapshotCache,
  name: MutationName,
  args: unknown,
  result: unknown,
): void {
  if (name !== 'storeFlags') return
  const change = args as MutationArgs<'storeFlags'>
  const mask = maskOf(change)
  if (mask) snapshots.follow(change, mask, result as MutationResult<'storeFlags'>)
}
