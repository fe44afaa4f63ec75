// How memory outside of V8's heaps comes from the system and goes back: buffers, the pages that SQLite keeps, compressors. mallopt(3).
//
// glibc gives each of a dozen threads an arena of its own, and once something large has been freed it keeps as much for the next time; so a busy server
// holds a quarter more than it uses. It reads its settings when a process begins.
import type { Terminal } from './terminal.ts'

/** Two arenas; what is free at the end of one goes back from 1 MiB on; what is larger than 256 KiB is a mapping of its own. */
const settings: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '1048576',
  MALLOC_MMAP_THRESHOLD_: '262144',
}

/** Begins the program anew with the settings, unless it has them, or somebody has set others. For who runs for long; nothing has been done yet. */
export function settleAllocator({ env, beginAnew }: Terminal): void {
  const isSet = [...Object.keys(settings), 'GLIBC_TUNABLES'].some(name => env[name] !== undefined)
  if (process.platform === 'linux' && !isSet) beginAnew?.(settings)
}
