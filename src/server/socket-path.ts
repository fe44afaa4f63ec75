// Paths of unix sockets longer than the system's structure for them. unix(7): 108 bytes with the NUL, 104 elsewhere.
import { closeSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'

const maxBytes = 103

export interface ShortPath {
  /** Leads to the same socket. */
  readonly path: string
  /** To be called when the socket is bound or connected. */
  release(): void
}

/** A path that a socket can be bound or connected to: through a handle of its folder where it would be too long, on Linux. */
export function shortSocketPath(path: string): ShortPath {
  if (process.platform !== 'linux' || Buffer.byteLength(path) <= maxBytes) return { path, release: () => {} }
  const folder = openSync(dirname(path), 'r')
  return { path: `/proc/self/fd/${folder}/${basename(path)}`, release: () => closeSync(folder) }
}
